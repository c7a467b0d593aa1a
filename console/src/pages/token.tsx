// One token: overview, API credentials, API scopes, activity. One Update for all of them, with what it will change.
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useEffect, useMemo, useState } from "react";
import { ApiError, type Overlap, type Token, api, data, seen } from "../api/client";
import { forgetToken, membersQuery, queryClient, renewTokens, tokenQuery } from "../api/queries";
import { useWords } from "../i18n";
import { Button, Dialog } from "../parts/controls";
import { useAccount } from "../parts/current";
import { Page } from "../parts/frame";
import { Guard } from "../parts/guard";
import { Icon, type IconName } from "../parts/icon";
import { ErrorBanner, baseField, fieldText, rolesWith } from "../parts/problem";
import { tell } from "../parts/receipt";
import { ScopesEditor, ScopesSummary } from "../parts/scopes";
import { Seal } from "../parts/seal";
import { Failed, Loading, When } from "../parts/states";
import { sealState, shownState } from "../parts/token";
import { TABS, type Tab } from "../router";
import { Trail } from "./activity";
import { memberOptions } from "./create";
import { type Doing, TokenDeed } from "./deeds";
import { Changes } from "./token-changes";
import { type Form, NAMES, changesOf, formOf, merged, patchOf } from "./token-form";
import { Credentials, Overview } from "./token-tabs";
import { StateChip, TokenNotes } from "./token-card";
import { NoView } from "./tokens";
import "./token.css";

const ICONS: Record<Tab, IconName> = { overview: "page", credentials: "key", scopes: "bars", activity: "pulse" };

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
  const current = useAccount();
  const { account, kind, may, operator } = current;
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
  const changed = changesOf(form, before);
  const dirty = changed.length > 0;
  const manages = may("tokens.manage");
  const members = useQuery({ ...membersQuery(account.id), enabled: manages });
  // While nothing was typed, the page follows what is kept; while something was, the 412 tells.
  useEffect(() => {
    if (!dirty && newest.edit > base.edit) {
      setBase(newest);
      setForm(formOf(newest));
    }
  }, [newest, dirty, base.edit]);
  const put = (change: Partial<Form>) => setForm((now) => ({ ...now, ...change }));
  const save = useMutation({
    mutationFn: () =>
      data(api.PATCH("/api/v1/accounts/{account_id}/tokens/{token_id}", { params: { path: { account_id: account.id, token_id: base.id }, header: seen(base.edit) }, body: patchOf(form, before) })),
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
  const error = (field: string) => fieldText(words, save.error, field);
  const stale = save.error instanceof ApiError && save.error.status === 412;
  const told = save.error instanceof ApiError && (baseField(save.error.field) ?? "") in NAMES;
  const shown = shownState(newest);
  const seal = <Seal sid={newest.sid} state={sealState(shown)} left={shown.left} />;
  const picked = useMemo(() => new Set(form.scopes), [form.scopes]);
  const contacts = memberOptions(members.data ?? []);
  if (newest.primary_contact && !contacts.some((row) => row.id === newest.primary_contact?.id)) {
    contacts.push({ id: newest.primary_contact.id, label: newest.primary_contact.name, sub: newest.primary_contact.email });
  }
  const tabs = { token: newest, form, put, error, readOnly: !manages };
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
        seal={seal}
        steps={[{ name: words.label(kind.page_label), to: `/accounts/${account.id}/tokens` }, { name: newest.name }]}
        sum={
          <p className="meta">
            <span className="mono">{newest.sid}</span>
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
        <TokenNotes token={newest} onDeed={manages ? setDoing : undefined} standing />
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
            {save.error && !told && !stale ? <ErrorBanner error={save.error} /> : null}
            {tab === "overview" ? <Overview {...tabs} /> : null}
            {tab === "credentials" ? (
              <Credentials {...tabs} contacts={contacts} overlap={overlap} onOverlap={setOverlap} onReset={() => setDoing({ deed: "reset", token: newest, overlap })} />
            ) : null}
            {tab === "scopes" ? (
              <div className="split wiz tight">
                <ScopesEditor kind={kind} version={form.api_version} picked={picked} retired={base.retired_scopes} readOnly={!manages} onChange={(scopes) => put({ scopes: [...scopes].sort() })} />
                <ScopesSummary kind={kind} picked={picked} editing={manages} />
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
        <p className="foot-note">{operator ? "" : t("manage.ask", { who: rolesWith(words, current, ["tokens.manage"]) })}</p>
      )}
      {ask ? (
        <Dialog
          title={t("ask.update", { name: base.name })}
          sub={base.sid}
          seal={seal}
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
        <Stale
          mine={form}
          theirs={formOf(theirs)}
          base={before}
          contacts={contacts}
          sid={base.sid}
          onClose={() => setTheirs(null)}
          onTake={(next) => {
            // What is shown from here on is theirs; Update asks again with it.
            queryClient.setQueryData(tokenQuery(account.id, base.id).queryKey, theirs);
            setForm(next);
            setBase(theirs);
            setTheirs(null);
            save.reset();
          }}
        />
      ) : null}
      {doing ? (
        <TokenDeed
          key={doing.deed}
          doing={doing}
          onClose={() => setDoing(null)}
          onDone={(deed) => {
            if (deed === "delete") {
              setGone(true);
              window.setTimeout(() => void navigate({ to: "/accounts/$account/tokens", params: { account: account.id } }).then(() => forgetToken(account.id, newest.id)), 0);
            }
          }}
        />
      ) : null}
    </>
  );
}

function Stale(props: { mine: Form; theirs: Form; base: Form; contacts: { id: string; label: string }[]; sid: string; onClose: () => void; onTake: (form: Form) => void }) {
  const { t } = useWords();
  const { mine, theirs, base, contacts } = props;
  return (
    <Dialog
      title={t("stale")}
      sub={props.sid}
      firm
      onClose={props.onClose}
      footer={
        <>
          <Button onPress={() => props.onTake(theirs)}>{t("stale.reload")}</Button>
          <Button look="primary" autoFocus onPress={() => props.onTake(merged(theirs, mine, base))}>{t("stale.merge")}</Button>
        </>
      }
    >
      <p>{t("stale.what")}</p>
      <h3>{t("stale.theirs")}</h3>
      <Changes form={theirs} base={base} contacts={contacts} />
      <h3>{t("stale.yours")}</h3>
      <Changes form={mine} base={base} contacts={contacts} />
    </Dialog>
  );
}
