// The seal: a mark made from the SID, the same on card, page and dialog; its ring is the state. Decoration for screen
// readers, because name and state beside it say the same.
import { useEffect, useState } from "react";

export type SealState = "enabled" | "disabled" | "expiring" | "legacy";
type Dot = { x: number; y: number; big: boolean };
const known = new Map<string, Dot[]>();
const TRIES = 32;
const CENTRE = 12;
const ROUND = 2 * Math.PI * 20;

async function draw(sid: string): Promise<Dot[]> {
  let digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(sid)));
  for (let turn = 0; turn < TRIES; turn += 1) {
    const filled = Array.from({ length: CENTRE }, (_, cell) => (digest[cell] ?? 0) % 2 === 1);
    const count = filled.filter(Boolean).length;
    if (count >= 6 && count <= 8) {
      const dots: Dot[] = [{ x: 22, y: 22, big: true }];
      filled.forEach((on, cell) => {
        if (!on) return;
        const big = (digest[cell + CENTRE] ?? 0) % 4 !== 0;
        for (const place of [cell, 24 - cell]) {
          dots.push({ x: 14 + (place % 5) * 4, y: 14 + Math.floor(place / 5) * 4, big });
        }
      });
      return dots;
    }
    digest = new Uint8Array(await crypto.subtle.digest("SHA-256", digest));
  }
  return [{ x: 22, y: 22, big: true }];
}

export function Seal({ sid, state, left }: { sid: string; state: SealState; left?: number }) {
  const [dots, setDots] = useState(() => known.get(sid));
  useEffect(() => {
    let live = true;
    const found = known.get(sid);
    if (found) setDots(found);
    else
      void draw(sid).then((drawn) => {
        known.set(sid, drawn);
        if (live) setDots(drawn);
      });
    return () => {
      live = false;
    };
  }, [sid]);
  const share = Math.max(0.02, Math.min(1, left ?? 1)) * ROUND;
  return (
    <svg className={`seal ${state}`} viewBox="0 0 44 44" aria-hidden="true">
      {state === "expiring" ? <circle className="track" cx="22" cy="22" r="20" /> : null}
      {state === "expiring" ? (
        <circle className="ring" cx="22" cy="22" r="20" strokeDasharray={`${share} ${ROUND}`} transform="rotate(-90 22 22)" />
      ) : (
        <circle className="ring" cx="22" cy="22" r={state === "legacy" ? 20.5 : 20} />
      )}
      {state === "legacy" ? <circle className="ring" cx="22" cy="22" r="17" /> : null}
      {(dots ?? []).map((dot) => (
        <circle key={`${dot.x}.${dot.y}`} className="dot" cx={dot.x} cy={dot.y} r={dot.big ? 1.85 : 1.3} />
      ))}
    </svg>
  );
}

/** The seal of a token that is not made yet. */
export function BlankSeal() {
  const places = Array.from({ length: 25 }, (_, place) => place);
  return (
    <svg className="seal blank" viewBox="0 0 44 44" aria-hidden="true">
      <circle className="ring" cx="22" cy="22" r="20" />
      {places.map((place) => (
        <circle key={place} className={place % 4 === 0 && place > 4 && place < 20 ? "dot on" : "dot"} cx={14 + (place % 5) * 4} cy={14 + Math.floor(place / 5) * 4} r="1.3" />
      ))}
    </svg>
  );
}
