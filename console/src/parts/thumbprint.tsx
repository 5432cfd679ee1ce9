// A thumbprint, short as everywhere in certrebind, whole when pointed at.
export function Thumbprint({ of }: { of: string | undefined }) {
  return of ? <code className="hash" title={of}>{of.slice(0, 16)}</code> : <>–</>;
}
