export function ExportDialog(_props: { certificate?: unknown; onClose: () => void }) { return null; }
