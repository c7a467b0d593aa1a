// The audit trail: who did what, when, from where, with what it was before and after.
import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { Disclosure, DisclosurePanel, Heading, Button as AriaButton } from "react-aria-components";
import { type AuditEntry, api, data } from "../api/client";
import { type AuditSearch, auditQuery } from "../api/queries";
import { isKey, useWords } from "../i18n";
import { Banner, Button, Chip, Choice } from "../parts/controls";
import { useAccount } from "../parts/current";
import { Page } from "../parts/frame";
import { Icon } from "../parts/icon";
import { ErrorBanner, rolesWith } from "../parts/problem";
import { Empty, Failed, Loading, When } from "../parts/states";
import { OperatorPage } from "../operator/page";
import "./activity.css";

const ACTIONS = [
  "token.create",
  "token.update",
  "token.reset",
  "token.disable",
  "token.enable",
  "token.upgrade",
  "token.duplicate",
  "token.delete",
  "secret.reveal",
  "legacy.enable",
  "legacy.reset",
  "legacy.delete",
  "member.update",
  "member.remove",
  "invitation.create",
  "webhook.create",
  "webhook.update",
  "webhook.delete",
  "address.confirm",
  "account.update",
  "session.create",
  "session.refused",
  "access.refused",
] as const;

/** What was done, in words; an action the catalogs do not know shows as it is. */
export function useActionName() {
  const { t } = useWords();
  return (action: string) => {
    const key = `action.${action}`;
    return isKey(key) ? t(key) : action;
  };
}

export function AccountActivity() {
  const words = useWords();
  const { t } = words;
  const current = useAccount();
  const { account, may } = current;
  const search = useSearch({ from: "/frame/accounts/$account/activity" });
  return (
    <Page title={t("activity")} steps={[{ name: t("activity") }]} sum={<p className="muted lead">{t("activity.lead")}</p>}>
      {may("audit.view") ? (
        <>
          <Filters search={search} />
          <Trail account={account.id} search={search} />
        </>
      ) : (
        <Empty icon="pulse" title={t("activity.no")}>{t("activity.no.why", { who: rolesWith(words, current, ["audit.view"]) })}</Empty>
      )}
    </Page>
  );
}

export function PlatformActivity() {
  const { t, number } = useWords();
  const search = useSearch({ from: "/frame/operator/audit" });
  const check = useMutation({ mutationFn: () => data(api.POST("/api/v1/audit/verify")) });
  return (
    <OperatorPage
      title={t("operator.audit")}
      lead={t("operator.audit.lead")}
      actions={
        <>
          <a className="btn" href="/api/v1/audit/export" download>{t("audit.export")}</a>
          <Button busy={check.isPending} icon="check" onPress={() => check.mutate()}>{t("audit.verify")}</Button>
        </>
      }
    >
      <ErrorBanner error={check.error} />
      {check.data ? (
        <Banner tone={check.data.whole ? "ok" : "bad"} icon={check.data.whole ? "check" : "warn"}>
          {check.data.whole ? t("audit.whole", { count: number(check.data.entries ?? 0) }) : t("audit.broken", { number: check.data.broken_at ?? 0, reason: check.data.reason ?? "" })}
        </Banner>
      ) : null}
      <Filters search={search} />
      <Trail search={search} />
    </OperatorPage>
  );
}

function Filters({ search }: { search: AuditSearch }) {
  const { t } = useWords();
  const name = useActionName();
  const navigate = useNavigate();
  const [now] = useState(() => Date.now());
  const set = (change: AuditSearch) =>
    void navigate({ to: ".", search: (before: AuditSearch) => Object.fromEntries(Object.entries({ ...before, ...change }).filter(([, value]) => value)), replace: true } as never);
  const since = (days: number) => new Date(Math.floor(now / 86_400_000) * 86_400_000 - days * 86_400_000).toISOString();
  const ranges = [{ id: "any", label: t("filter.any") }, { id: since(1), label: t("activity.day") }, { id: since(7), label: t("filter.last7") }, { id: since(30), label: t("filter.last30") }];
  return (
    <div className="filters" role="search" aria-label={t("filters")}>
      <Choice inline label={t("activity.what")} value={search.action ?? "any"} onChange={(id) => set({ action: id === "any" ? undefined : id } as AuditSearch)} options={[{ id: "any", label: t("activity.all") }, ...ACTIONS.map((id) => ({ id, label: name(id) }))]} />
      <Choice inline label={t("activity.when")} value={ranges.some((row) => row.id === search.since) ? (search.since ?? "any") : "any"} onChange={(id) => set({ since: id === "any" ? undefined : id } as AuditSearch)} options={ranges} />
      <Button look="quiet" isDisabled={!search.action && !search.since} onPress={() => set({ action: undefined, since: undefined } as unknown as AuditSearch)}>{t("clearAll")}</Button>
    </div>
  );
}

export function Trail({ account, search }: { account?: string; search: AuditSearch }) {
  const { t } = useWords();
  const list = useInfiniteQuery(auditQuery(account, search));
  const rows = list.data?.pages.flatMap((page) => page.items) ?? [];
  if (list.isPending) return <Loading rows={6} height={56} />;
  if (list.isError) return <Failed error={list.error} retry={() => void list.refetch()} />;
  if (rows.length === 0) return <Empty icon="pulse" title={t("activity.none")}>{t("activity.none.why")}</Empty>;
  return (
    <>
      <ol className="card trail">
        {rows.map((row) => <Entry key={row.number} row={row} />)}
      </ol>
      {list.hasNextPage ? (
        <div className="more-rows"><Button busy={list.isFetchingNextPage} onPress={() => void list.fetchNextPage()}>{t("more.rows")}</Button></div>
      ) : null}
    </>
  );
}

function Entry({ row }: { row: AuditEntry }) {
  const { t } = useWords();
  const name = useActionName();
  const refused = row.outcome !== "done";
  return (
    <li>
      <Disclosure className="entry">
        <Heading level={2}>
          <AriaButton slot="trigger">
            <Icon name="right" />
            <span className="entry-main">
              <b>{name(row.action)}</b>
              {row.subject_label ? <span className="subject">{row.subject_label}</span> : null}
              {refused ? <Chip tone="danger" icon="cross">{t("refused")}</Chip> : null}
              {row.actor.kind === "operator" ? <Chip tone="line">{t("actor.operator")}</Chip> : null}
            </span>
            <span className="entry-who">{row.actor.kind === "cli" || row.actor.kind === "system" ? t(`actor.${row.actor.kind}`) : row.actor.label}</span>
            <span className="entry-when"><When moment={row.at} /></span>
          </AriaButton>
        </Heading>
        <DisclosurePanel>
          <dl className="kv">
            <div><dt>{t("activity.number")}</dt><dd>{row.number}</dd></div>
            <div><dt>{t("activity.from")}</dt><dd className="mono">{row.client_address || t("none")}</dd></div>
            <div><dt>{t("activity.request")}</dt><dd className="mono">{row.request_id ?? t("none")}</dd></div>
          </dl>
          <Facts title={t("before")} value={row.before} />
          <Facts title={t("after")} value={row.after} />
        </DisclosurePanel>
      </Disclosure>
    </li>
  );
}

function Facts({ title, value }: { title: string; value: unknown }) {
  if (value === null || value === undefined) return null;
  return (
    <div className="facts-json">
      <h3>{title}</h3>
      <pre className="mono">{JSON.stringify(value, null, 2)}</pre>
    </div>
  );
}
