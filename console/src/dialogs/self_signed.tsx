export function SelfSignedDialog(_props: { certificate?: unknown; onClose: () => void }) { return null; }
