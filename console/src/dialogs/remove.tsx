export function RemoveDialog(_props: { certificate?: unknown; onClose: () => void }) { return null; }
