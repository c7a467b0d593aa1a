// A refusal in the person's own language: our text for its code, for a wrong field the text of the field. What the
// server says of it is shown only where neither catalog knows the code.
import { useContext } from "react";
import { ApiError } from "../api/client";
import { type Key, type Words, isKey, useWords } from "../i18n";
import { Banner } from "./controls";
import { type Current, CurrentAccount, type Permission } from "./current";

/** `developer_emails[2]` and `rate_limit.requests` are about `developer_emails` and `rate_limit`. */
export const baseField = (field: string | undefined) => field?.replace(/[[.].*$/, "");

/** Who can help somebody whose role lacks a permission: the roles of the account's kind that have it. */
export function rolesWith(words: Words, current: Current | null, permissions: readonly string[]): string {
  const roles = current?.kind.roles.filter((role) => permissions.every((permission) => role.permissions.includes(permission as Permission))) ?? [];
  return roles.length > 0 ? words.t("role.have", { roles: words.list(roles.map((role) => words.label(role.label))) }) : words.t("role.ask.administrator");
}

function wait(words: Words, error: ApiError): string {
  const seconds = error.extra["retry_after"];
  return typeof seconds === "number" && seconds > 59 ? words.t("error.wait", { minutes: Math.ceil(seconds / 60) }) : words.t("error.wait.soon");
}

/** What a field that the server refused should hold. */
export function fieldText(words: Words, error: unknown, field: string): string | undefined {
  if (!(error instanceof ApiError) || baseField(error.field) !== field) return undefined;
  const own = `field.${field}`;
  return error.code === "field_invalid" && isKey(own) ? words.t(own) : problemText(words, error);
}

export function problemText(words: Words, error: unknown, current: Current | null = null): string {
  if (!(error instanceof ApiError)) return words.t("error.unknown");
  if (error.status === 0) return words.t("error.offline");
  const own = `error.${error.code}`;
  if (error.code === "field_invalid") {
    const field = `field.${baseField(error.field)}`;
    return isKey(field) ? words.t(field) : words.t("error.field_invalid", { detail: error.detail });
  }
  if (!isKey(own)) return error.detail;
  const permissions = Array.isArray(error.extra["permissions"]) ? (error.extra["permissions"] as string[]) : [];
  const names = permissions.map((name) => (isKey(`permission.${name}`) ? words.t(`permission.${name}` as Key) : name));
  return words.t(own, {
    status: error.status,
    wait: wait(words, error),
    permissions: words.list(names.map((name) => words.t("quoted", { text: name }))),
    who: rolesWith(words, current, permissions),
  });
}

export function ErrorBanner({ error }: { error: unknown }) {
  const words = useWords();
  const current = useContext(CurrentAccount);
  if (!error) return null;
  const id = error instanceof ApiError ? error.requestId : undefined;
  return (
    <Banner tone="bad">
      {problemText(words, error, current)}
      {id ? <span className="faint nowrap mono"> {id}</span> : null}
    </Banner>
  );
}
