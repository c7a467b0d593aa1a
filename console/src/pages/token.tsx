// One token: overview, API credentials, API scopes, activity. One Update for all of them, with what it will change.
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useCallback, useEffect, useMemo, useState } from "react";
import { ApiError, type Overlap, type Token, type UpdateToken, api, data, seen } from "../api/client";
import { membersQuery, queryClient, renewTokens, tokenQuery } from "../api/queries";
import { type Key, useWords } from "../i18n";
import { Button, Choice, Copyable, Dialog, Field } from "../parts/controls";
import { useAccount } from "../parts/current";
import { Emails } from "../parts/emails";
import { Page } from "../parts/frame";
import { Guard } from "../parts/guard";
import { Icon, type IconName } from "../parts/icon";
import { tell } from "../parts/receipt";
import { ScopesEditor, ScopesSummary } from "../parts/scopes";
import { Seal } from "../parts/seal";
import { SecretField } from "../parts/secret";
import { Day, ErrorBanner, Failed, Loading, When } from "../parts/states";
import { sealState, shownState } from "../parts/token";
import { TABS, type Tab } from "../router";
import { Trail } from "./activity";
import { memberOptions } from "./create";
import { type Doing, OverlapChoice, TokenDeed, versionOption } from "./deeds";
import { NoView, StateChip } from "./tokens";

const ICONS: Record<Tab, IconName> = { overview: "page", credentials: "key", scopes: "bars", activity: "pulse" };

type Form = { name: string; description: string; api_version: number; primary_contact: string; developer_emails: string[]; scopes: string[]; expires_on: string; addresses: string };
const formOf = (token: Token): Form => ({
  name: token.name,
  description: token.description,
  api_version: token.api_version,
  primary_contact: token.primary_contact?.id ?? "",
  developer_emails: token.developer_emails,
  scopes: [...token.scopes].sort(),
  expires_on: token.expires_at ? token.expires_at.slice(0, 10) : "",
  addresses: token.addresses.join("\n"),
});
const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
const NAMES: Record<keyof Form, Key> = { name: "tokenName", description: "description", api_version: "apiVersion", primary_contact: "primaryContact", developer_emails: "emails", scopes: "apiScopes", expires_on: "expiry", addresses: "addresses" };

/** What of the form differs from the token, as the PATCH says it. */
function patchOf(form: Form, base: Form): UpdateToken {
  const patch: UpdateToken = {};
  if (form.name !== base.name) patch.name = form.name;
  if (form.description !== base.description) patch.description = form.description;
  if (form.api_version !== base.api_version) patch.api_version = form.api_version;
  if (form.primary_contact !== base.primary_contact) patch.primary_contact = form.primary_contact;
  if (!same(form.developer_emails, base.developer_emails)) patch.developer_emails = form.developer_emails;
  if (!same(form.scopes, base.scopes)) patch.scopes = form.scopes;
  if (form.expires_on !== base.expires_on) patch.expires_at = form.expires_on ? `${form.expires_on}T23:59:59Z` : null;
  if (form.addresses !== base.addresses) patch.addresses = form.addresses.split(/[\s,;]+/).filter(Boolean);
  return patch;
}

export function TokenPage() {
  const { t } = useWords();
  const { account, may } = useAccount();
  const { token: id } = useParams({ from: "/frame/accounts/$account/tokens/$token" });
  const found = useQuery({ ...tokenQuery(account.id, id), enabled: may("tokens.view") });
  if (!may("tokens.view")) return <Page title={t("token")}><NoView /></Page>;
  if (!found.data) {
    return <Page title={t("token")}>{found.isError ? <Failed error={found.error} retry={() => void found.refetch()} /> : <Loading />}</Page>;
  }
  return <Editor key={found.data.id} token={found.data} />;
}

function Editor({ token: newest }: { token: Token }) {
  const words = useWords();
  const { t } = words;
  const { account, kind, may, operator } = useAccount();
  const navigate = useNavigate({ from: "/accounts/$account/tokens/$token" });
  const { tab = "overview" } = useSearch({ from: "/frame/accounts/$account/tokens/$token" });
  const [base, setBase] = useState(newest);
  const [form, setForm] = useState(() => formOf(newest));
  const [ask, setAsk] = useState(false);
  const [theirs, setTheirs] = useState<Token | null>(null);
  const [doing, setDoing] = useState<Doing | null>(null);
  const [overlap, setOverlap] = useState<Overlap>("none");
  const [gone, setGone] = useState(false);
  const before = useMemo(() => formOf(base), [base]);
  const changed = (Object.keys(form) as (keyof Form)[]).filter((field) => !same(form[field], before[field]));
  const dirty = changed.length > 0;
  const manages = may("tokens.manage");
  const members = useQuery(membersQuery(account.id));
  // While nothing was typed, the page follows what is kept; while something was, the 412 tells.
  useEffect(() => {
    if (!dirty && newest.edit !== base.edit) {
      setBase(newest);
      setForm(formOf(newest));
    }
  }, [newest, dirty, base.edit]);
  const put = (change: Partial<Form>) => setForm((now) => ({ ...now, ...change }));
  const path = { account_id: account.id, token_id: base.id };
  const save = useMutation({
    mutationFn: () => data(api.PATCH("/api/v1/accounts/{account_id}/tokens/{token_id}", { params: { path, header: seen(base.edit) }, body: patchOf(form, before) })),
    async onSuccess(answer) {
      setAsk(false);
      setBase(answer.token);
      setForm(formOf(answer.token));
      queryClient.setQueryData(tokenQuery(account.id, base.id).queryKey, answer.token);
      await renewTokens(account.id);
      tell(t("done.update"), answer.seq);
    },
    onError(error) {
      setAsk(false);
      if (error instanceof ApiError && error.status === 412) setTheirs((error.extra["current"] as Token | undefined) ?? newest);
    },
  });
  const reveal = useCallback(
    () => data(api.POST("/api/v1/accounts/{account_id}/tokens/{token_id}/reveal", { params: { path: { account_id: account.id, token_id: base.id } } })),
    [account.id, base.id],
  );
  const fieldError = (name: string) => (save.error instanceof ApiError && save.error.field?.startsWith(name) ? save.error.detail : undefined);
  const known = Object.keys(NAMES).concat("expires_at").some((name) => fieldError(name) !== undefined);
  const shown = shownState(newest);
  const home = `/accounts/${account.id}/tokens`;
  const picked = useMemo(() => new Set(form.scopes), [form.scopes]);
  const contacts = memberOptions(members.data ?? []);
  if (newest.primary_contact && !contacts.some((row) => row.id === newest.primary_contact?.id)) {
    contacts.push({ id: newest.primary_contact.id, label: newest.primary_contact.name, sub: newest.primary_contact.email });
  }
  return (
    <>
      <Page
        title={
          <div className="ttl">
            <h1>{newest.name}</h1>
            <StateChip shown={shown} />
          </div>
        }
        name={newest.name}
        seal={<Seal sid={newest.sid} state={sealState(shown)} left={shown.left} />}
        steps={[{ name: words.label(kind.page_label), to: home }, { name: newest.name }]}
        sum={
          <p className="meta">
            <span>{t("version", { version: newest.api_version })}</span>
            {newest.upgrade_available && manages ? (
              <button className="up" type="button" onClick={() => setDoing({ deed: "upgrade", token: newest })}>
                <Icon name="up" />
                {t("upgrade.available", { version: newest.upgrade_available })}
              </button>
            ) : null}
            <span>{newest.last_used_at ? <>{t("lastUsed")} <When moment={newest.last_used_at} />{newest.last_used_from ? <> · <span className="mono">{newest.last_used_from}</span></> : null}</> : t("usage.never")}</span>
          </p>
        }
      >
        <Guard when={dirty && !gone} />
        <div className="split">
          <nav className="side" aria-label={t("token")}>
            {TABS.filter((one) => one !== "activity" || may("audit.view")).map((one) => (
              <Link key={one} from="/accounts/$account/tokens/$token" to="/accounts/$account/tokens/$token" search={one === "overview" ? {} : { tab: one }} activeOptions={{ exact: true }} resetScroll={false}>
                <Icon name={ICONS[one]} />
                {t(`tab.${one}`)}
                {one === "scopes" ? <span className="n">{form.scopes.length}</span> : null}
              </Link>
            ))}
          </nav>
          <div className="tab-body">
            {save.error && !known && !(save.error instanceof ApiError && save.error.status === 412) ? <ErrorBanner error={save.error} /> : null}
            {tab === "overview" ? (
              <div className="card">
                <section className="sect">
                  <div className="what"><h2>{t("tab.overview")}</h2><p>{t("overview.what")}</p></div>
                  <div className="with">
                    <Field label={t("tokenName")} value={form.name} onChange={(name) => put({ name })} maxLength={100} error={fieldError("name")} readOnly={!manages} />
                    <Field label={t("description")} value={form.description} onChange={(description) => put({ description })} lines={3} maxLength={500} error={fieldError("description")} readOnly={!manages} />
                    {base.upgrade_available ? (
                      <Choice
                        label={t("apiVersion")}
                        value={String(form.api_version)}
                        onChange={(version) => put({ api_version: Number(version) })}
                        help={t("version.up")}
                        options={kind.versions.filter((row) => row.number >= base.api_version).sort((a, b) => b.number - a.number).map((row) => versionOption(words, row, kind.latest_version))}
                      />
                    ) : null}
                  </div>
                </section>
                <section className="sect">
                  <div className="what"><h2>{t("limits")}</h2><p>{t("limits.what")}</p></div>
                  <div className="with">
                    <Field label={t("expiry")} type="date" value={form.expires_on} onChange={(expires_on) => put({ expires_on })} help={t("expiry.help")} error={fieldError("expires_at")} readOnly={!manages} />
                    <Field label={t("addresses")} value={form.addresses} onChange={(addresses) => put({ addresses })} lines={3} mono help={t("addresses.help")} error={fieldError("addresses")} readOnly={!manages} />
                  </div>
                </section>
                <section className="sect">
                  <div className="what"><h2>{t("facts")}</h2></div>
                  <dl className="kv with">
                    <div><dt>{t("filter.created")}</dt><dd><Day moment={newest.created_at} /></dd></div>
                    <div><dt>{t("updated")}</dt><dd><When moment={newest.updated_at} /></dd></div>
                    <div><dt>{t("generation")}</dt><dd>{newest.secret.generation}</dd></div>
                  </dl>
                </section>
              </div>
            ) : null}
            {tab === "credentials" ? (
              <div className="card">
                <section className="sect">
                  <div className="what"><h2>{t("credentials")}</h2><p>{t("credentials.what")}</p></div>
                  <div className="with">
                    <Copyable label={t("sid")} value={newest.sid} />
                    <SecretField key={newest.secret.generation} reveal={reveal} last4={newest.secret.last4} recoverable={newest.secret.recoverable} />
                  </div>
                </section>
                {manages ? (
                  <section className="sect">
                    <div className="what"><h2>{t("resetToken")}</h2><p>{t("resetToken.what")}</p></div>
                    <div className="with">
                      <OverlapChoice value={overlap} onChange={setOverlap} />
                      <div><Button icon="reset" onPress={() => setDoing({ deed: "reset", token: newest, overlap })}>{t("resetToken")}…</Button></div>
                    </div>
                  </section>
                ) : null}
                <section className="sect">
                  <div className="what"><h2>{t("told")}</h2><p>{t("told.what")}</p></div>
                  <div className="with">
                    <Choice label={t("primaryContact")} icon="person" value={form.primary_contact || null} onChange={(primary_contact) => put({ primary_contact })} options={contacts} error={fieldError("primary_contact")} />
                    <Emails value={form.developer_emails} onChange={(developer_emails) => put({ developer_emails })} error={fieldError("developer_emails")} />
                  </div>
                </section>
              </div>
            ) : null}
            {tab === "scopes" ? (
              <div className="split wiz tight">
                <ScopesEditor kind={kind} version={form.api_version} picked={picked} retired={base.retired_scopes} readOnly={!manages} onChange={(scopes) => put({ scopes: [...scopes].sort() })} />
                <ScopesSummary kind={kind} picked={picked} />
              </div>
            ) : null}
            {tab === "activity" && may("audit.view") ? <Trail account={account.id} search={{ subject: newest.id }} /> : null}
          </div>
        </div>
      </Page>
      {manages ? (
        <section className="bar" aria-label={t("actions")}>
          <div>
            <Button look="primary" isDisabled={!dirty} onPress={() => setAsk(true)}>{t("update")}</Button>
            {newest.state === "disabled" ? (
              <Button icon="power" onPress={() => setDoing({ deed: "enable", token: newest })}>{t("enable")}</Button>
            ) : (
              <Button icon="power" onPress={() => setDoing({ deed: "disable", token: newest })}>{t("disable")}</Button>
            )}
            <Button look="danger" icon="bin" onPress={() => setDoing({ deed: "delete", token: newest })}>{t("delete")}</Button>
            <span className="grow" />
            <span className="muted t13" role="status">{dirty ? t("unsaved", { fields: words.list(changed.map((field) => t(NAMES[field]))) }) : t("unsaved.none")}</span>
          </div>
        </section>
      ) : (
        <p className="foot-note">{operator ? "" : t("manage.ask")}</p>
      )}
      {ask ? (
        <Dialog
          title={t("ask.update", { name: base.name })}
          sub={base.sid}
          seal={<Seal sid={base.sid} state={sealState(shown)} left={shown.left} />}
          onClose={() => setAsk(false)}
          footer={
            <>
              <Button onPress={() => setAsk(false)} autoFocus>{t("keep.update")}</Button>
              <Button look="primary" busy={save.isPending} onPress={() => save.mutate()}>{t("update")}</Button>
            </>
          }
        >
          <Changes form={form} base={before} contacts={contacts} />
        </Dialog>
      ) : null}
      {theirs ? (
        <Dialog
          title={t("stale")}
          sub={base.sid}
          firm
          onClose={() => setTheirs(null)}
          footer={
            <>
              <Button
                onPress={() => {
                  setBase(theirs);
                  setForm(formOf(theirs));
                  setTheirs(null);
                }}
              >
                {t("stale.reload")}
              </Button>
              <Button
                look="primary"
                autoFocus
                onPress={() => {
                  // Theirs, with what was typed here on top; Update then asks again.
                  setForm({ ...formOf(theirs), ...Object.fromEntries(changed.map((field) => [field, form[field]])) });
                  setBase(theirs);
                  setTheirs(null);
                }}
              >
                {t("stale.merge")}
              </Button>
            </>
          }
        >
          <p>{t("stale.what")}</p>
          <h3>{t("stale.theirs")}</h3>
          <Changes form={formOf(theirs)} base={before} contacts={contacts} />
          <h3>{t("stale.yours")}</h3>
          <Changes form={form} base={before} contacts={contacts} />
        </Dialog>
      ) : null}
      {doing ? (
        <TokenDeed
          key={doing.deed}
          doing={doing}
          onClose={() => setDoing(null)}
          onDone={(deed) => {
            if (deed === "delete") {
              setGone(true);
              window.setTimeout(() => void navigate({ to: "/accounts/$account/tokens", params: { account: account.id } }), 0);
            }
          }}
        />
      ) : null}
    </>
  );
}

function Changes({ form, base, contacts }: { form: Form; base: Form; contacts: { id: string; label: string }[] }) {
  const words = useWords();
  const { t } = words;
  const { kind } = useAccount();
  const label = (id: string) => words.label(kind.categories.flatMap((row) => row.scopes).find((scope) => scope.id === id)?.label) || id;
  const plain = (field: keyof Form, value: Form[keyof Form]) =>
    field === "primary_contact" ? (contacts.find((row) => row.id === value)?.label ?? String(value)) : Array.isArray(value) ? value.join(", ") : String(value);
  const fields = (Object.keys(form) as (keyof Form)[]).filter((field) => !same(form[field], base[field]));
  if (fields.length === 0) return <p className="help">{t("changes.none")}</p>;
  return (
    <dl className="changes">
      {fields.map((field) => {
        if (field === "scopes") {
          const added = form.scopes.filter((id) => !base.scopes.includes(id));
          const removed = base.scopes.filter((id) => !form.scopes.includes(id));
          return (
            <div key={field}>
              <dt>{t("apiScopes")}</dt>
              <dd>
                {added.length > 0 ? <span><b>{t("changes.added", { count: added.length })}</b> {words.list(added.slice(0, 12).map(label))}{added.length > 12 ? " …" : ""}</span> : null}
                {removed.length > 0 ? <span className="bad"><b>{t("changes.removed", { count: removed.length })}</b> {words.list(removed.slice(0, 12).map(label))}{removed.length > 12 ? " …" : ""}</span> : null}
              </dd>
            </div>
          );
        }
        return (
          <div key={field}>
            <dt>{t(NAMES[field])}</dt>
            <dd><s>{plain(field, base[field]) || t("none")}</s><span>{plain(field, form[field]) || t("none")}</span></dd>
          </div>
        );
      })}
    </dl>
  );
}
