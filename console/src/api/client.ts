// The one road to the management API. Every refusal becomes an `ApiError`; a lost connection becomes `offline`.
import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./schema";

type Schemas = components["schemas"];
export type Account = Schemas["AccountView"];
export type Token = Schemas["Token"];
export type TokenSummary = Schemas["TokenSummary"];
export type Kind = Schemas["KindView"];
export type Scope = Schemas["ScopeView"];
export type Category = Schemas["CategoryView"];
export type Label = Schemas["LabelView"];
export type Session = Schemas["CurrentSession"];
export type Membership = Schemas["MembershipView"];
export type Legacy = Schemas["LegacyTokens"];
export type Member = Schemas["MemberView"];
export type AuditEntry = Schemas["AuditEntryView"];
export type Person = Schemas["PersonView"];
export type Overlap = Schemas["OverlapAsk"];
export type CreateToken = Schemas["CreateToken"];
export type UpdateToken = Schemas["UpdateToken"];
export type Difference = Schemas["CatalogDifference"];
export type Issued = Schemas["IssuedView"];
export type Delivery = Schemas["DeliveryView"];
export type DeliveryDetail = Schemas["DeliveryDetail"];
export type Webhook = Schemas["WebhookView"];
export type WebhookPatch = Schemas["WebhookPatch"];
export type NewWebhook = Schemas["NewWebhook"];
export type Announcement = Schemas["AnnouncementView"];
export type NewAnnouncement = Schemas["NewAnnouncement"];
export type Keys = Schemas["KeysView"];
export type GatewayProbe = Schemas["GatewayProbeView"];
export type VersionUsage = Schemas["VersionUsage"];
export type Told = Schemas["ToldView"];
export type Recipe = Schemas["Recipe"];
export type Gateway = Schemas["GatewayView"];

/** A refusal by the server (`status` of HTTP) or a lost connection (`status` 0). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly field: string | undefined,
    readonly requestId: string | undefined,
    readonly extra: Record<string, unknown>,
  ) {
    super(detail);
  }
}

const listeners = new Set<() => void>();

/** Called when the server says that nobody is signed in. */
export function onSignedOut(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

const refusals: Middleware = {
  async onResponse({ response }) {
    if (response.ok) return undefined;
    const body = (await response.json().catch(() => ({}))) as Record<string, unknown>;
    const text = (name: string) => (typeof body[name] === "string" ? (body[name] as string) : undefined);
    const wait = Number(response.headers.get("retry-after"));
    const error = new ApiError(
      response.status,
      text("code") ?? "unreadable",
      text("detail") ?? response.statusText,
      text("field"),
      text("request_id") ?? response.headers.get("x-request-id") ?? undefined,
      wait > 0 ? { ...body, retry_after: wait } : body,
    );
    if (error.status === 401 && error.code === "sign_in_required") listeners.forEach((listener) => listener());
    throw error;
  },
  onError() {
    throw new ApiError(0, "offline", "", undefined, undefined, {});
  },
};

export const api = createClient<paths>({ baseUrl: "/", credentials: "same-origin" });
api.use(refusals);

/** The data of an answer; refusals were thrown before. */
export async function data<T>(answer: Promise<{ data?: T }>): Promise<T> {
  return (await answer).data as T;
}

/** An `If-Match` header for the edit somebody saw. */
export const seen = (edit: number) => ({ "If-Match": `"${edit}"` });

/** A key under which a repeated request is answered once. */
export const once = () => ({ "Idempotency-Key": crypto.randomUUID() });
