export function CompleteDialog(_props: { certificate?: unknown; onClose: () => void }) { return null; }
