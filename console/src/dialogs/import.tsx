export function ImportDialog(_props: { certificate?: unknown; onClose: () => void }) { return null; }
