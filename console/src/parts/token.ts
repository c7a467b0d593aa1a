// What the console says of a token's state and life.
import type { TokenSummary } from "../api/client";
import type { SealState } from "./seal";

const DAY = 86_400_000;
export const EXPIRING_DAYS = 30;

export type Shown = { state: "enabled" | "disabled" | "expired" | "expiring"; days: number; left: number };

/** The state in one word; *expiring* stands in place of *enabled* from 30 days on. */
export function shownState(token: Pick<TokenSummary, "state" | "effective_expires_at" | "created_at">): Shown {
  if (token.state !== "enabled" || !token.effective_expires_at) return { state: token.state, days: 0, left: 1 };
  const end = new Date(token.effective_expires_at).getTime();
  const days = Math.max(0, Math.ceil((end - Date.now()) / DAY));
  const life = end - new Date(token.created_at).getTime();
  return { state: days <= EXPIRING_DAYS ? "expiring" : "enabled", days, left: life > 0 ? (end - Date.now()) / life : 0 };
}

export const sealState = (shown: Shown): SealState => (shown.state === "expired" ? "disabled" : shown.state);
