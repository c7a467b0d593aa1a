// The receipt: what was done and that it is in force. The server answers a change only once it decides by it.
import { useEffect, useSyncExternalStore } from "react";
import { useWords } from "../i18n";
import { Button } from "./controls";

type Note = { text: string; seq?: number; number: number };
const SHOWN_MS = 9_000;
let note: Note | null = null;
let count = 0;
const watchers = new Set<() => void>();

function put(next: Note | null) {
  note = next;
  watchers.forEach((watcher) => watcher());
}

/** Tells the person that something was done; `seq` is the number of the change that is in force. */
export function tell(text: string, seq?: number): void {
  count += 1;
  put({ text, number: count, ...(seq === undefined ? {} : { seq }) });
}

export function Receipt() {
  const { t, number } = useWords();
  const shown = useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => note,
  );
  useEffect(() => {
    if (!shown) return undefined;
    const timer = window.setTimeout(() => put(null), SHOWN_MS);
    return () => window.clearTimeout(timer);
  }, [shown]);
  return (
    <div role="status" className="receipt-place">
      {shown ? (
        <div className="toast" key={shown.number}>
          <span className="receipt">
            <span className="node" aria-hidden="true" />
            <b>{shown.text}</b>
            {shown.seq === undefined ? null : <span>{t("receipt.force", { seq: number(shown.seq) })}</span>}
          </span>
          <Button look="quiet" small icon="cross" aria-label={t("close")} onPress={() => put(null)} />
        </div>
      ) : null}
    </div>
  );
}
