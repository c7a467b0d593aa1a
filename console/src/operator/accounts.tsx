// Every account of the platform: find one, open it, make one, change its settings.
import { useInfiniteQuery, useMutation, useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { Checkbox } from "react-aria-components";
import { type Account, type Issued, api, data, seen } from "../api/client";
import { accountQuery, accountsQuery, catalogQuery, foundTokenQuery, queryClient } from "../api/queries";
import { useWords } from "../i18n";
import { Button, Chip, Choice, Dialog, Field, Stops, Tick } from "../parts/controls";
import { tell } from "../parts/receipt";
import { ErrorBanner } from "../parts/problem";
import { Empty, Failed, Loading, When } from "../parts/states";
import { shownState } from "../parts/token";
import { StateChip } from "../pages/token-card";
import { OneTimeLink } from "../pages/members";
import { OperatorPage } from "./page";
import { Search } from "./search";

const LIKE_SID = /^[A-Za-z0-9_-]{20,64}$/;
const renew = () => Promise.all([queryClient.invalidateQueries({ queryKey: ["accounts"] }), queryClient.invalidateQueries({ queryKey: ["account"] })]);

export function Accounts() {
  const words = useWords();
  const { t } = words;
  const { q = "" } = useSearch({ from: "/frame/operator/accounts" });
  const catalog = useSuspenseQuery(catalogQuery).data;
  const list = useInfiniteQuery(accountsQuery(q));
  const [creating, setCreating] = useState(false);
  const [editing, setEditing] = useState<Account | null>(null);
  const rows = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <OperatorPage title={t("operator.accounts")} lead={t("operator.accounts.lead")} actions={<Button look="primary" icon="plus" onPress={() => setCreating(true)}>{t("account.create")}</Button>}>
      <Search label={t("account.search")} value={q} />
      {LIKE_SID.test(q) ? <FoundToken sid={q} /> : null}
      {list.isPending ? <Loading rows={6} height={56} /> : null}
      {list.isError ? <Failed error={list.error} retry={() => void list.refetch()} /> : null}
      {list.isSuccess && rows.length === 0 && !LIKE_SID.test(q) ? <Empty icon="search" title={q ? t("noMatch") : t("account.none")}>{q ? t("noMatch.name", { name: q }) : t("account.none.why")}</Empty> : null}
      {rows.length > 0 ? (
        <ul className="card rows" aria-label={t("operator.accounts")}>
          {rows.map((account) => (
            <li key={account.id}>
              <span className="row-main">
                <Link className="name" to="/accounts/$account/tokens" params={{ account: account.id }}>{account.name}</Link>
                <span className="sub mono">{account.external_id}</span>
              </span>
              <span className="row-fact">
                <Chip tone="line">{words.label(catalog.kinds.find((kind) => kind.id === account.kind)?.label)}</Chip>
                {account.state === "suspended" ? <Chip tone="danger" icon="power">{t("suspended")}</Chip> : null}
                {account.api_access ? null : <Chip tone="disabled" icon="power">{t("access.off.chip")}</Chip>}
                {account.legacy_tokens ? <Chip tone="legacy" icon="layers">{t("legacy.chip")}</Chip> : null}
              </span>
              <span className="row-acts"><Button small aria-label={t("edit.label", { what: account.name })} onPress={() => setEditing(account)}>{t("edit")}</Button></span>
            </li>
          ))}
        </ul>
      ) : null}
      {list.hasNextPage ? <div className="more-rows"><Button onPress={() => void list.fetchNextPage()}>{t("more.rows")}</Button></div> : null}
      {creating ? <CreateAccount onClose={() => setCreating(false)} /> : null}
      {editing ? <EditAccount account={editing} onClose={() => setEditing(null)} /> : null}
    </OperatorPage>
  );
}

/** The token somebody found in a log or a leak, and the way to switch it off. */
function FoundToken({ sid }: { sid: string }) {
  const { t } = useWords();
  const found = useQuery(foundTokenQuery(sid));
  const hit = found.data;
  const owner = useQuery({ ...accountQuery(hit?.account_id ?? ""), enabled: Boolean(hit) }).data;
  if (found.isPending) return <Loading rows={1} height={56} />;
  if (!hit) return <div className="above"><Empty icon="search" title={t("found.none")}>{t("found.none.why", { sid })}</Empty></div>;
  const params = { account: hit.account_id, token: hit.token.id };
  return (
    <div className="above">
      <ul className="card rows" aria-label={t("found")}>
        <li>
          <span className="row-main">
            {hit.access === "scoped" ? <Link className="name" to="/accounts/$account/tokens/$token" params={params}>{hit.token.name}</Link> : <Link className="name" to="/accounts/$account/legacy" params={params}>{t("legacy")}</Link>}
            <span className="sub">{owner?.name} · <span className="mono">{hit.token.sid}</span></span>
          </span>
          <span className="row-fact"><StateChip shown={shownState(hit.token)} /></span>
          <span className="row-fact faint">{hit.token.last_used_at ? <>{t("lastUsed")} <When moment={hit.token.last_used_at} /></> : t("usage.never")}</span>
        </li>
      </ul>
    </div>
  );
}

function CreateAccount({ onClose }: { onClose: () => void }) {
  const words = useWords();
  const { t } = words;
  const catalog = useSuspenseQuery(catalogQuery).data;
  const [name, setName] = useState("");
  const [external_id, setExternal] = useState("");
  const [kind, setKind] = useState(catalog.kinds[0]?.id ?? "");
  const [email, setEmail] = useState("");
  const [access, setAccess] = useState(true);
  const [issued, setIssued] = useState<Issued | null>(null);
  const run = useMutation({
    mutationFn: () => data(api.POST("/api/v1/accounts", { body: { name: name.trim(), external_id: external_id.trim(), kind, api_access: access, ...(email.trim() ? { administrator: { email: email.trim() } } : {}) } })),
    async onSuccess(answer) {
      await renew();
      tell(t("account.done", { name: answer.account.name }));
      if (answer.invitation) setIssued(answer.invitation);
      else onClose();
    },
  });
  if (issued) return <OneTimeLink issued={issued} onClose={onClose} />;
  return (
    <Dialog title={t("account.create")} onClose={onClose} footer={<><Button onPress={onClose}>{t("cancel")}</Button><Button look="primary" busy={run.isPending} onPress={() => run.mutate()}>{t("account.create")}</Button></>}>
      <ErrorBanner error={run.error} />
      <Field label={t("account.name")} value={name} onChange={setName} autoFocus />
      <Field label={t("account.external")} value={external_id} onChange={setExternal} help={t("account.external.help")} mono />
      <Choice label={t("account.kind")} value={kind} onChange={setKind} options={catalog.kinds.map((row) => ({ id: row.id, label: words.label(row.label) }))} />
      <Field label={t("account.admin")} type="email" value={email} onChange={setEmail} help={t("account.admin.help")} />
      <Checkbox className="check" isSelected={access} onChange={setAccess}><Tick /><span>{t("account.access")}</span></Checkbox>
    </Dialog>
  );
}

function EditAccount({ account, onClose }: { account: Account; onClose: () => void }) {
  const { t } = useWords();
  const [name, setName] = useState(account.name);
  const [limit, setLimit] = useState(String(account.token_limit));
  const [state, setState] = useState<string>(account.state);
  const [reveal, setReveal] = useState<string>(account.reveal);
  const [access, setAccess] = useState(account.api_access);
  const run = useMutation({
    async mutationFn() {
      const path = { account_id: account.id };
      await data(
        api.PATCH("/api/v1/accounts/{account_id}", {
          params: { path, header: seen(account.edit) },
          body: { name: name.trim(), token_limit: Number(limit), state: state as Account["state"], reveal: reveal as Account["reveal"] },
        }),
      );
      if (access !== account.api_access) await data(api.POST("/api/v1/accounts/{account_id}/api-access", { params: { path }, body: { enabled: access } }));
    },
    async onSuccess() {
      await renew();
      tell(t("done.update"));
      onClose();
    },
  });
  const harm = (state === "suspended" && account.state === "active") || (!access && account.api_access);
  return (
    <Dialog title={t("edit.label", { what: account.name })} sub={account.id} onClose={onClose} footer={<><Button onPress={onClose}>{t("cancel")}</Button><Button look={harm ? "danger-fill" : "primary"} busy={run.isPending} onPress={() => run.mutate()}>{t("update")}</Button></>}>
      <ErrorBanner error={run.error} />
      <Field label={t("account.name")} value={name} onChange={setName} />
      <Choice label={t("filter.state")} value={state} onChange={setState} options={[{ id: "active", label: t("active") }, { id: "suspended", label: t("suspended") }]} />
      <Choice label={t("account.reveal")} value={reveal} onChange={setReveal} options={[{ id: "recoverable", label: t("reveal.recoverable") }, { id: "once", label: t("reveal.once") }]} />
      <Field label={t("account.limit")} type="number" value={limit} onChange={setLimit} />
      <Checkbox className="check" isSelected={access} onChange={setAccess}><Tick /><span>{t("account.access")}</span></Checkbox>
      {harm ? <Stops items={[{ icon: "cross", bad: true, text: t("account.stops"), sub: t("account.stops.sub") }]} /> : null}
    </Dialog>
  );
}
