// What can be edited on the token page, and what of it differs from the token: the PATCH.
import type { Token, UpdateToken } from "../api/client";
import type { Key } from "../i18n";
import { type Limits, expiresAt, limitsOf, networks, rateLimit } from "../parts/limits";

export type Form = { name: string; description: string; api_version: number; primary_contact: string; developer_emails: string[]; scopes: string[]; limits: Limits };
/** The parts of the form a person knows by name. */
export type Changed = Exclude<keyof Form, "limits"> | "expires_at" | "addresses" | "rate_limit";

export const NAMES: Record<Changed, Key> = {
  name: "tokenName",
  description: "description",
  api_version: "apiVersion",
  primary_contact: "primaryContact",
  developer_emails: "emails",
  scopes: "apiScopes",
  expires_at: "expiry",
  addresses: "addresses",
  rate_limit: "rate",
};

export const formOf = (token: Token): Form => ({
  name: token.name,
  description: token.description,
  api_version: token.api_version,
  primary_contact: token.primary_contact?.id ?? "",
  developer_emails: token.developer_emails,
  scopes: [...token.scopes].sort(),
  limits: limitsOf(token),
});

/** Each part as the API takes it. */
const parts = (form: Form): Required<Pick<UpdateToken, Changed>> => ({
  name: form.name,
  description: form.description,
  api_version: form.api_version,
  primary_contact: form.primary_contact,
  developer_emails: form.developer_emails,
  scopes: form.scopes,
  expires_at: expiresAt(form.limits),
  addresses: networks(form.limits),
  rate_limit: rateLimit(form.limits),
});

export function patchOf(form: Form, base: Form): UpdateToken {
  const before = parts(base);
  const entries = Object.entries(parts(form)).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name as Changed]));
  return Object.fromEntries(entries);
}

export const changesOf = (form: Form, base: Form) => Object.keys(patchOf(form, base)) as Changed[];

/** `theirs` with what `mine` changed since `base` on top. */
export function merged(theirs: Form, mine: Form, base: Form): Form {
  const changed = new Set(changesOf(mine, base));
  const limits = { ...theirs.limits };
  if (changed.has("expires_at")) limits.expires_on = mine.limits.expires_on;
  if (changed.has("addresses")) limits.addresses = mine.limits.addresses;
  if (changed.has("rate_limit")) Object.assign(limits, { requests: mine.limits.requests, window_secs: mine.limits.window_secs });
  const own = Object.entries(mine).filter(([name]) => changed.has(name as Changed));
  return { ...theirs, ...Object.fromEntries(own), limits };
}
