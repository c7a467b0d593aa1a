// A long list of which only the rows near the view are in the page. Heights are measured as rows come; what is not
// there is a spacer of the height it would have. The row that holds the focus stays, wherever the view goes.
import { type RefObject, useCallback, useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState } from "react";

/** How far beyond the view rows are kept ready, in pixels: more than a Tab or a turn of the wheel goes. */
const READY_PX = 900;
/** So many rows cost nothing: all of them are in the page, and the browser's own search finds them. */
const ALL_ROWS = 60;
/** A gap of missing rows, or a row. */
export type Piece = { kind: "gap"; key: string; height: number } | { kind: "row"; index: number };
export type Windowed = {
  list: RefObject<HTMLUListElement | null>;
  pieces: Piece[];
  /** The last row that is near the view. */
  last: number;
  /** For the `ref` of a row. */
  measure: (key: string) => (element: HTMLElement | null) => (() => void) | undefined;
  onFocus: (index: number) => void;
  onBlur: () => void;
};

/** `keys`: one for each row, in order; `estimate`: the height of a row not seen yet; `gap`: pixels between rows. */
export function useWindow(keys: readonly string[], estimate: number, gap: number): Windowed {
  const list = useRef<HTMLUListElement>(null);
  const heights = useRef(new Map<string, number>());
  const [measured, remeasured] = useReducer((count: number) => count + 1, 0);
  const [view, setView] = useState({ first: 0, last: 12 });
  const [focused, setFocused] = useState<number | null>(null);
  const tops = useMemo(() => {
    const found = new Array<number>(keys.length + 1);
    let top = 0;
    keys.forEach((key, index) => {
      found[index] = top;
      top += (heights.current.get(key) ?? estimate) + gap;
    });
    found[keys.length] = top;
    return found;
    // `measured` stands for the heights, which are kept outside of React.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [keys, estimate, gap, measured]);

  const look = useCallback(() => {
    const element = list.current;
    if (!element) return;
    const above = -element.getBoundingClientRect().top;
    const rows = tops.length - 1;
    const first = rows <= ALL_ROWS ? 0 : search(tops, above - READY_PX);
    const last = rows <= ALL_ROWS ? rows - 1 : search(tops, above + window.innerHeight + READY_PX);
    setView((now) => (now.first === first && now.last === last ? now : { first, last }));
  }, [tops]);
  useLayoutEffect(look, [look]);
  useEffect(() => {
    let frame = 0;
    const later = () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        look();
      });
    };
    window.addEventListener("scroll", later, { passive: true });
    window.addEventListener("resize", later);
    return () => {
      cancelAnimationFrame(frame);
      window.removeEventListener("scroll", later);
      window.removeEventListener("resize", later);
    };
  }, [look]);

  const observer = useRef<ResizeObserver | null>(null);
  const refs = useRef(new Map<string, (element: HTMLElement | null) => (() => void) | undefined>());
  // One function for each key, for ever: a new one with every turn would detach and attach every row.
  const measure = useCallback((key: string) => {
    const known = refs.current.get(key);
    if (known) return known;
    const attach = (element: HTMLElement | null) => watch(element, key);
    refs.current.set(key, attach);
    return attach;
  }, []);
  const watch = (element: HTMLElement | null, key: string) => {
    if (!element) return undefined;
    element.dataset["row"] = key;
    observer.current ??= new ResizeObserver((entries) => {
      let changed = false;
      for (const entry of entries) {
        const row = entry.target as HTMLElement;
        const height = row.offsetHeight;
        const name = row.dataset["row"] ?? "";
        if (height > 0 && heights.current.get(name) !== height) {
          heights.current.set(name, height);
          changed = true;
        }
      }
      if (changed) remeasured();
    });
    observer.current.observe(element);
    return () => observer.current?.unobserve(element);
  };
  useEffect(() => () => observer.current?.disconnect(), []);

  const pieces = useMemo(() => {
    const rows: number[] = [];
    const last = Math.min(view.last, keys.length - 1);
    for (let index = Math.min(view.first, Math.max(0, last)); index <= last; index += 1) rows.push(index);
    if (focused !== null && focused < keys.length) {
      if (focused < view.first) rows.unshift(focused);
      else if (focused > last) rows.push(focused);
    }
    const found: Piece[] = [];
    let at = 0;
    for (const index of rows) {
      if (index > at) found.push({ kind: "gap", key: `before-${index}`, height: (tops[index] ?? 0) - (tops[at] ?? 0) - gap });
      found.push({ kind: "row", index });
      at = index + 1;
    }
    if (at < keys.length) found.push({ kind: "gap", key: "after", height: (tops[keys.length] ?? 0) - (tops[at] ?? 0) - gap });
    return found;
  }, [view, keys.length, focused, tops, gap]);

  const onFocus = useCallback((index: number) => setFocused(index), []);
  const onBlur = useCallback(() => setFocused(null), []);
  return { list, pieces, last: view.last, measure, onFocus, onBlur };
}

/** The index of the row that holds this height. */
function search(tops: readonly number[], height: number): number {
  let low = 0;
  let high = tops.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((tops[middle] ?? 0) <= height) low = middle;
    else high = middle - 1;
  }
  return low;
}
