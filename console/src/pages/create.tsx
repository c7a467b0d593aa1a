// The wizard: setup, contact information, API scopes, create. Back keeps what was typed; leaving asks first.
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { ApiError, type Member, api, data, once } from "../api/client";
import { membersQuery, renewTokens } from "../api/queries";
import { useWords } from "../i18n";
import { Banner, Button, Choice, Copyable, Field } from "../parts/controls";
import { useAccount, useSession } from "../parts/current";
import { Emails } from "../parts/emails";
import { Page } from "../parts/frame";
import { Guard } from "../parts/guard";
import { Icon } from "../parts/icon";
import { Signature, reachOf, reachText } from "../parts/reach";
import { tell } from "../parts/receipt";
import { type Picked, ScopesEditor, ScopesSummary } from "../parts/scopes";
import { Seal } from "../parts/seal";
import { ErrorBanner } from "../parts/states";
import { versionOption } from "./deeds";
import { NoView } from "./tokens";

const STEPS = ["setup", "contact", "scopes", "create"] as const;
const FIELDS: Record<string, number> = { name: 0, description: 0, api_version: 0, primary_contact: 1, developer_emails: 1, scopes: 2 };

export const memberOptions = (members: Member[]) => members.filter((member) => member.active).map((member) => ({ id: member.user_id, label: member.name || member.email, sub: member.email }));

export function Create() {
  const words = useWords();
  const { t } = words;
  const { account, kind, may } = useAccount();
  const session = useSession();
  const members = useQuery({ ...membersQuery(account.id), enabled: may("tokens.manage") });
  const [step, setStep] = useState(0);
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const [version, setVersion] = useState(String(kind.latest_version));
  const [contact, setContact] = useState<string | null>(null);
  const [emails, setEmails] = useState<string[]>([]);
  const [picked, setPicked] = useState<Picked>(new Set());
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
          body: { name: name.trim(), description, api_version: Number(version), primary_contact: chosen ?? "", developer_emails: emails, scopes: [...picked] },
        }),
      ),
    async onSuccess(answer) {
      await renewTokens(account.id);
      tell(t("done.create", { name: answer.token.name }), answer.seq);
    },
    onError(error) {
      // The same key with a changed body would be refused.
      setKey(once());
      const field = error instanceof ApiError ? error.field?.replace(/\[.*$/, "") : undefined;
      if (field && field in FIELDS && error instanceof ApiError) {
        setWrong({ [field]: error.code === "name_taken" ? t("error.nameTaken") : error.detail });
        setStep(FIELDS[field] ?? 0);
      }
    },
  });
  useEffect(() => {
    top.current?.focus();
  }, [step, run.isSuccess]);
  if (!may("tokens.manage")) return <Page title={t("create")}><NoView /></Page>;

  const made = run.data;
  const dirty = !made && (name !== "" || description !== "" || picked.size > 0 || emails.length > 0);
  const reach = reachOf(kind, picked);
  const next = () => {
    const found: Record<string, string> = {};
    if (step === 0 && !name.trim()) found["name"] = t("required.name");
    if (step === 1 && !chosen) found["primary_contact"] = t("required.contact");
    setWrong(found);
    if (Object.keys(found).length > 0) return;
    if (step === 3) run.mutate();
    else setStep(step + 1);
  };
  const title = made ? t("wizard.made") : t(`wizard.${STEPS[step] ?? "setup"}`);
  const home = `/accounts/${account.id}/tokens`;
  return (
    <>
      <Page
        title={<h1 ref={top} tabIndex={-1}>{title}</h1>}
        name={t("create")}
        steps={[{ name: words.label(kind.page_label), to: home }, { name: t("create") }]}
        sum={<p className="muted lead">{made ? t("wizard.made.lead") : step > 1 ? t("wizard.about", { name, version }) : t("wizard.lead")}</p>}
      >
        <Guard when={dirty} />
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
          <div className="card pad narrow stack">
            <Field label={t("tokenName")} value={name} onChange={setName} maxLength={100} help={t("tokenName.help")} error={wrong["name"]} required />
            <Field label={t("description")} value={description} onChange={setDescription} lines={3} maxLength={500} help={t("description.help", { left: 500 - description.length })} error={wrong["description"]} />
            <Choice label={t("apiVersion")} value={version} onChange={setVersion} help={version === String(kind.latest_version) ? t("version.best") : t("version.older", { version: kind.latest_version })} error={wrong["api_version"]} options={[...kind.versions].sort((a, b) => b.number - a.number).map((row) => versionOption(words, row, kind.latest_version))} />
          </div>
        ) : step === 1 ? (
          <div className="card pad narrow stack">
            <ErrorBanner error={members.error} />
            <Choice label={t("primaryContact")} icon="person" value={chosen} onChange={setContact} options={options} help={t("primaryContact.help")} error={wrong["primary_contact"]} placeholder={t("primaryContact.choose")} />
            <Emails value={emails} onChange={setEmails} error={wrong["developer_emails"]} />
          </div>
        ) : step === 2 ? (
          <div className="split wiz">
            <ScopesEditor kind={kind} version={Number(version)} picked={picked} onChange={setPicked} />
            <ScopesSummary kind={kind} picked={picked} />
          </div>
        ) : (
          <dl className="card narrow">
            <Row label={t("tokenName")} value={name} onEdit={() => setStep(0)} />
            <Row label={t("description")} value={description || t("none")} onEdit={() => setStep(0)} />
            <Row label={t("apiVersion")} value={version} onEdit={() => setStep(0)} />
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
  const line = `curl -u '${sid}:${secret ?? ""}' -H 'API-Version: ${version}' 'https://${t("wizard.host")}${path}'`;
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
