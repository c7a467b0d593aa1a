// What an edit changes, before and after, in the words of the page.
import { useWords } from "../i18n";
import { useAccount } from "../parts/current";
import { type Changed, type Form, NAMES, changesOf } from "./token-form";

const SCOPES_SHOWN = 12;

export function Changes({ form, base, contacts }: { form: Form; base: Form; contacts: { id: string; label: string }[] }) {
  const words = useWords();
  const { t } = words;
  const fields = changesOf(form, base);
  if (fields.length === 0) return <p className="help">{t("changes.none")}</p>;
  const plain = (field: Exclude<Changed, "scopes">, of: Form): string => {
    switch (field) {
      case "primary_contact":
        return contacts.find((row) => row.id === of.primary_contact)?.label ?? of.primary_contact;
      case "developer_emails":
        return of.developer_emails.join("\n");
      case "expires_at":
        return of.limits.expires_on ? words.date(`${of.limits.expires_on}T12:00:00Z`) : t("expires.never");
      case "addresses":
        return of.limits.addresses.trim() || t("addresses.any");
      case "rate_limit":
        return of.limits.requests ? rateText(words, { requests: Number(of.limits.requests), window_secs: of.limits.window_secs }) : t("rate.none");
      default:
        return String(of[field]);
    }
  };
  return (
    <dl className="changes">
      {fields.map((field) => (
        <div key={field}>
          <dt>{t(NAMES[field])}</dt>
          {field === "scopes" ? (
            <ScopeChanges now={form.scopes} before={base.scopes} />
          ) : (
            <dd>
              <s>{plain(field, base) || t("none")}</s>
              <span>{plain(field, form) || t("none")}</span>
            </dd>
          )}
        </div>
      ))}
    </dl>
  );
}

export function rateText(words: ReturnType<typeof useWords>, limit: { requests: number; window_secs: number }): string {
  const window =
    limit.window_secs === 1 || limit.window_secs === 60 || limit.window_secs === 3600 || limit.window_secs === 86_400
      ? words.t(`rate.per.${limit.window_secs}`)
      : words.t("rate.per.seconds", { seconds: words.number(limit.window_secs) });
  return words.t("rate.text", { requests: words.number(limit.requests), window });
}

function ScopeChanges({ now, before }: { now: string[]; before: string[] }) {
  const words = useWords();
  const { t } = words;
  const { kind } = useAccount();
  const label = (id: string) => words.label(kind.categories.flatMap((row) => row.scopes).find((scope) => scope.id === id)?.label) || id;
  const names = (ids: string[]) => words.list(ids.slice(0, SCOPES_SHOWN).map(label)) + (ids.length > SCOPES_SHOWN ? " …" : "");
  const added = now.filter((id) => !before.includes(id));
  const removed = before.filter((id) => !now.includes(id));
  return (
    <dd>
      {added.length > 0 ? <span><b>{t("changes.added", { count: added.length })}</b> {names(added)}</span> : null}
      {removed.length > 0 ? <span className="bad"><b>{t("changes.removed", { count: removed.length })}</b> {names(removed)}</span> : null}
    </dd>
  );
}
