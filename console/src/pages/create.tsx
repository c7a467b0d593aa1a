// The wizard: setup, contact information, API scopes, create. Back keeps what was typed; leaving asks first.
import { useMutation, useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { Button as AriaButton, Disclosure, DisclosurePanel } from "react-aria-components";
import { ApiError, type Member, type Token, api, data, once } from "../api/client";
import { catalogQuery, membersQuery, renewTokens, tokenQuery } from "../api/queries";
import { useWords } from "../i18n";
import { Banner, Button, Choice, Copyable, Field } from "../parts/controls";
import { useAccount, useSession } from "../parts/current";
import { Emails } from "../parts/emails";
import { Page } from "../parts/frame";
import { ExpiryField, type Limits, NO_LIMITS, UseLimits, expiresAt, limitsOf, networks, rateLimit } from "../parts/limits";
import { Guard } from "../parts/guard";
import { Icon } from "../parts/icon";
import { Signature, reachOf, reachText } from "../parts/reach";
import { tell } from "../parts/receipt";
import { type Picked, ScopesEditor, ScopesSummary } from "../parts/scopes";
import { BlankSeal, Seal } from "../parts/seal";
import { Failed, Loading } from "../parts/states";
import { ErrorBanner, baseField, fieldText, problemText } from "../parts/problem";
import { versionOption } from "./deeds";
import { rateText } from "./token-changes";
import { NoView } from "./tokens";
import "./create.css";
import "./token.css";

const STEPS = ["setup", "contact", "scopes", "create"] as const;
const FIELDS: Record<string, number> = { name: 0, description: 0, api_version: 0, expires_at: 0, addresses: 0, rate_limit: 0, primary_contact: 1, developer_emails: 1, scopes: 2 };

export const memberOptions = (members: Member[]) => members.filter((member) => member.active).map((member) => ({ id: member.user_id, label: member.name || member.email, sub: member.email }));

/** The wizard; with `from`, the id of a token, it begins with what that token has: for the successor of one that ends. */
export function Create() {
  const words = useWords();
  const { t } = words;
  const { account, may } = useAccount();
  const { from } = useSearch({ from: "/frame/accounts/$account/tokens/new" });
  const source = useQuery({ ...tokenQuery(account.id, from ?? ""), enabled: Boolean(from) && may("tokens.manage") });
  if (!may("tokens.manage")) return <Page title={t("create")}><NoView /></Page>;
  if (from && !source.data) return <Page title={t("create")}>{source.isError ? <Failed error={source.error} retry={() => void source.refetch()} /> : <Loading />}</Page>;
  return <Wizard key={from ?? "new"} source={source.data} />;
}

function Wizard({ source }: { source: Token | undefined }) {
  const words = useWords();
  const { t } = words;
  const { account, kind, may } = useAccount();
  const session = useSession();
  const members = useQuery({ ...membersQuery(account.id), enabled: may("tokens.manage") });
  const [step, setStep] = useState(0);
  const [name, setName] = useState(source ? t("successor.name", { name: source.name }).slice(0, 100) : "");
  const [description, setDescription] = useState(source?.description ?? "");
  const [version, setVersion] = useState(String(kind.latest_version));
  const [contact, setContact] = useState<string | null>(source?.primary_contact?.id ?? null);
  const [emails, setEmails] = useState<string[]>(source?.developer_emails ?? []);
  const [picked, setPicked] = useState<Picked>(() => new Set(source?.scopes.filter((id) => !source.retired_scopes.includes(id))));
  const [limits, setLimits] = useState<Limits>(() => (source ? { ...limitsOf(source), expires_on: "" } : NO_LIMITS));
  const [wrong, setWrong] = useState<Record<string, string>>({});
  const [key, setKey] = useState(once);
  const top = useRef<HTMLHeadingElement>(null);
  const options = memberOptions(members.data ?? []);
  const chosen = contact ?? (options.some((row) => row.id === session.person.id) ? session.person.id : null);

  const run = useMutation({
    mutationFn: () =>
      data(
        api.POST("/api/v1/accounts/{account_id}/tokens", {
          params: { path: { account_id: account.id }, header: key },
          body: { name: name.trim(), description, api_version: Number(version), primary_contact: chosen ?? "", developer_emails: emails, scopes: [...picked], expires_at: expiresAt(limits), addresses: networks(limits), rate_limit: rateLimit(limits) },
        }),
      ),
    async onSuccess(answer) {
      await renewTokens(account.id);
      tell(t("done.create", { name: answer.token.name }), answer.seq);
    },
    onError(error) {
      // The same key with a changed body would be refused.
      setKey(once());
      const field = error instanceof ApiError ? baseField(error.field) : undefined;
      if (field && field in FIELDS && error instanceof ApiError) {
        setWrong({ [field]: fieldText(words, error, field) ?? problemText(words, error) });
        setStep(FIELDS[field] ?? 0);
      }
    },
  });
  useEffect(() => {
    top.current?.focus();
  }, [step, run.isSuccess]);

  const made = run.data;
  const dirty = !made && (name !== "" || description !== "" || picked.size > 0 || emails.length > 0 || limits !== NO_LIMITS);
  const reach = reachOf(kind, picked);
  const limit = rateLimit(limits);
  const limiting = { value: limits, onChange: (change: Partial<Limits>) => setLimits({ ...limits, ...change }), error: (field: string) => wrong[field] };
  const next = () => {
    const found: Record<string, string> = {};
    if (step === 0 && !name.trim()) found["name"] = t("required.name");
    if (step === 1 && !chosen) found["primary_contact"] = t("required.contact");
    setWrong(found);
    if (Object.keys(found).length > 0) return;
    if (step === 3) run.mutate();
    else setStep(step + 1);
  };
  const preview = <Preview name={name} version={version} contact={options.find((row) => row.id === chosen)?.label} developers={emails.length} expires={limits.expires_on} reach={reachText(words, reach)} />;
  const title = made ? t("wizard.made") : t(`wizard.${STEPS[step] ?? "setup"}`);
  const home = `/accounts/${account.id}/tokens`;
  return (
    <>
      <Page
        title={<h1 ref={top} tabIndex={-1}>{title}</h1>}
        name={t("create")}
        steps={[{ name: words.label(kind.page_label), to: home }, { name: t("create") }]}
        sum={<p className="muted lead">{made ? t("wizard.made.lead") : step === 3 ? t("wizard.last") : step === 2 ? t("wizard.about", { name, version }) : t("wizard.lead")}</p>}
      >
        <Guard when={dirty} />
        {source && !made && step === 0 ? <div className="above"><Banner icon="copy">{t("successor.of", { name: source.name })}</Banner></div> : null}
        <ol className="steps" aria-label={t("wizard.steps")}>
          {STEPS.map((one, index) => {
            const state = made || index < step ? "done" : index === step ? "" : "todo";
            return (
              <li key={one} className={state} aria-current={!made && index === step ? "step" : undefined}>
                <span className="no">{t("wizard.step", { number: index + 1 })}</span>
                <span className="l">
                  {state === "done" ? <Icon name="check" /> : null}
                  <span className="tx">{t(`step.${one}`)}</span>
                </span>
              </li>
            );
          })}
        </ol>
        <ErrorBanner error={Object.keys(wrong).length > 0 ? null : run.error} />
        {made ? (
          <Credentials sid={made.token.sid} secret={made.secret ?? null} reason={made.secret_unavailable_reason ?? null} version={made.token.api_version} name={made.token.name} />
        ) : step === 0 ? (
          <div className="split wiz">
          <div className="card pad stack">
            <Field label={t("tokenName")} value={name} onChange={setName} maxLength={100} help={t("tokenName.help")} error={wrong["name"]} required />
            <Field label={t("description")} value={description} onChange={setDescription} lines={3} maxLength={500} help={t("description.help", { left: 500 - description.length })} error={wrong["description"]} />
            <Choice label={t("apiVersion")} value={version} onChange={setVersion} help={version === String(kind.latest_version) ? t("version.best") : t("version.older", { version: kind.latest_version })} error={wrong["api_version"]} options={[...kind.versions].sort((a, b) => b.number - a.number).map((row) => versionOption(words, row, kind.latest_version))} />
            <ExpiryField {...limiting} />
            <Disclosure className="more-fields" defaultExpanded={limits.addresses !== "" || limits.requests !== "" || Boolean(wrong["addresses"] ?? wrong["rate_limit"])}>
              <AriaButton slot="trigger" className="btn link"><Icon name="right" />{t("limits.more")}</AriaButton>
              <DisclosurePanel><div className="stack"><UseLimits {...limiting} /></div></DisclosurePanel>
            </Disclosure>
          </div>
          {preview}
          </div>
        ) : step === 1 ? (
          <div className="split wiz">
          <div className="card pad stack">
            <ErrorBanner error={members.error} />
            <Choice label={t("primaryContact")} icon="person" value={chosen} onChange={setContact} options={options} help={t("primaryContact.help")} error={wrong["primary_contact"]} placeholder={t("primaryContact.choose")} />
            <Emails value={emails} onChange={setEmails} error={wrong["developer_emails"]} />
          </div>
          {preview}
          </div>
        ) : step === 2 ? (
          <div className="split wiz">
            <ScopesEditor kind={kind} version={Number(version)} picked={picked} onChange={setPicked} />
            <ScopesSummary kind={kind} picked={picked} editing />
          </div>
        ) : (
          <div className="split wiz">
          <dl className="card">
            <Row label={t("tokenName")} value={name} onEdit={() => setStep(0)} />
            <Row label={t("description")} value={description || t("none")} onEdit={() => setStep(0)} />
            <Row label={t("apiVersion")} value={version} onEdit={() => setStep(0)} />
            <Row label={t("expiry")} value={limits.expires_on ? words.date(`${limits.expires_on}T12:00:00Z`) : t("expires.never")} onEdit={() => setStep(0)} />
            {networks(limits).length > 0 ? <Row label={t("addresses")} value={networks(limits).join("\n")} onEdit={() => setStep(0)} /> : null}
            {limit ? <Row label={t("rate")} value={rateText(words, limit)} onEdit={() => setStep(0)} /> : null}
            <Row label={t("primaryContact")} value={options.find((row) => row.id === chosen)?.label ?? ""} onEdit={() => setStep(1)} />
            <Row label={t("emails")} value={emails.length > 0 ? words.list(emails) : t("none")} onEdit={() => setStep(1)} />
            <div className="summary-row">
              <dt>{t("apiScopes")}</dt>
              <dd>
                <Signature kind={kind} scopes={picked} label={reachText(words, reach)} />
                <span>{reachText(words, reach)}</span>
                {reach.held === 0 ? <span className="help">{t("scopes.emptyOk")}</span> : null}
              </dd>
              <dd><Button look="link" small aria-label={t("edit.label", { what: t("apiScopes") })} onPress={() => setStep(2)}>{t("edit")}</Button></dd>
            </div>
          </dl>
          <ScopesSummary kind={kind} picked={picked} />
          </div>
        )}
      </Page>
      <section className="bar" aria-label={t("actions")}>
        <div>
          {made ? (
            <>
              <Link className="btn" to="/accounts/$account/tokens/$token" params={{ account: account.id, token: made.token.id }}>{t("wizard.open")}</Link>
              <span className="grow" />
              <Link className="btn primary" to="/accounts/$account/tokens" params={{ account: account.id }}>{t("wizard.finish")}</Link>
            </>
          ) : (
            <>
              {step > 0 ? <Button onPress={() => setStep(step - 1)}>{t("back")}</Button> : <Link className="btn" to="/accounts/$account/tokens" params={{ account: account.id }}>{t("cancel")}</Link>}
              <span className="grow" />
              {step === 2 ? <span className="muted t13"><b>{reach.held}</b> {t("scopes.of", { all: reach.all })}</span> : null}
              <Button look="primary" busy={run.isPending} onPress={next}>{step === 3 ? t("create.do") : t("next")}</Button>
            </>
          )}
        </div>
      </section>
    </>
  );
}

/** The token as it stands so far, beside the fields. */
function Preview(props: { name: string; version: string; contact: string | undefined; developers: number; expires: string; reach: string }) {
  const words = useWords();
  const { t } = words;
  return (
    <aside className="aside" aria-label={t("wizard.sofar")}>
      <div className="card preview">
        <BlankSeal />
        <h2>{props.name.trim() || t("wizard.unnamed")}</h2>
        <dl className="kv">
          <div><dt>{t("apiVersion")}</dt><dd>{props.version}</dd></div>
          <div><dt>{t("expiry")}</dt><dd>{props.expires ? words.date(`${props.expires}T12:00:00Z`) : t("never")}</dd></div>
          <div><dt>{t("primaryContact")}</dt><dd>{props.contact ?? t("contact.none")}</dd></div>
          <div><dt>{t("wizard.developers")}</dt><dd>{words.number(props.developers)}</dd></div>
          <div><dt>{t("apiScopes")}</dt><dd>{props.reach}</dd></div>
        </dl>
      </div>
    </aside>
  );
}

function Row({ label, value, onEdit }: { label: string; value: string; onEdit: () => void }) {
  const { t } = useWords();
  return (
    <div className="summary-row">
      <dt>{label}</dt>
      <dd>{value}</dd>
      <dd><Button look="link" small aria-label={t("edit.label", { what: label })} onPress={onEdit}>{t("edit")}</Button></dd>
    </div>
  );
}

function Credentials({ sid, secret, reason, version, name }: { sid: string; secret: string | null; reason: string | null; version: number; name: string }) {
  const { t } = useWords();
  const { kind } = useAccount();
  const path = kind.categories.find((row) => !row.management)?.scopes.find((scope) => scope.reads)?.operations[0]?.path.replace("{AccountSID}", sid) ?? "/whoami";
  const { version_header } = useSuspenseQuery(catalogQuery).data;
  const line = `curl -u '${sid}:${secret ?? ""}' \\\n  -H '${version_header}: ${version}' \\\n  '${kind.base_url ?? `https://${t("wizard.host")}`}${path}'`;
  return (
    <div className="card pad narrow stack">
      <div className="made">
        <Seal sid={sid} state="enabled" />
        <div>
          <h2>{name}</h2>
          <p className="muted t13">{t("wizard.works")}</p>
        </div>
      </div>
      <Copyable label={t("sid")} value={sid} />
      {secret ? <Copyable label={t("authToken")} value={secret} /> : <Banner tone="warn">{reason ?? t("secret.gone")}</Banner>}
      {secret ? <Copyable label={t("wizard.curl")} value={line} lines /> : null}
      <p className="help">{t("secret.care")}</p>
    </div>
  );
}
