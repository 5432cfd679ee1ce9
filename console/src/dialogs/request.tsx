export function RequestDialog(_props: { certificate?: unknown; onClose: () => void }) { return null; }
