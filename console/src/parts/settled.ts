// Whether the page has come to rest: what only flies past asks the server for nothing.
import { useEffect, useState } from "react";

const SETTLED_MS = 150;
const waiting = new Set<() => void>();
let timer = 0;

function settle() {
  timer = 0;
  const all = [...waiting];
  waiting.clear();
  all.forEach((tell) => tell());
}

function begin() {
  window.clearTimeout(timer);
  timer = window.setTimeout(settle, SETTLED_MS);
}

// One listener for all cards; it does nothing while nobody waits.
window.addEventListener("scroll", () => waiting.size > 0 && begin(), { passive: true });

/** False until the page has not been scrolled for a moment; true from then on. */
export function useSettled(): boolean {
  const [settled, setSettled] = useState(false);
  useEffect(() => {
    if (settled) return undefined;
    const tell = () => setSettled(true);
    waiting.add(tell);
    if (!timer) begin();
    return () => void waiting.delete(tell);
  }, [settled]);
  return settled;
}
