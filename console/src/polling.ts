// Asks again and again, for what no event tells.
import { useEffect, useRef } from 'react';

/** Calls `act` each so many milliseconds; not at all if null. */
export function useEvery(milliseconds: number | null, act: () => void): void {
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    if (milliseconds === null) return;
    const timer = window.setInterval(() => latest.current(), milliseconds);
    return () => window.clearInterval(timer);
  }, [milliseconds]);
}
