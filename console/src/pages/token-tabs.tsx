// What the tabs of the token page hold: fields over one form, which the page keeps.
import { useCallback } from "react";
import { type Overlap, type Token, api, data } from "../api/client";
import { useWords } from "../i18n";
import { Button, Choice, Copyable, Field, type Option } from "../parts/controls";
import { useAccount } from "../parts/current";
import { Emails } from "../parts/emails";
import { ExpiryField, type Limits, UseLimits } from "../parts/limits";
import { SecretField } from "../parts/secret";
import { Section } from "../parts/section";
import { Day, When } from "../parts/states";
import { AskAgain } from "../parts/told";
import { OverlapChoice, versionOption } from "./deeds";
import type { Form } from "./token-form";

const contactHelp = (t: ReturnType<typeof useWords>["t"], token: Token) => {
  const state = token.told.find((row) => row.kind === "contact")?.state;
  return state === "inactive" || state === "bounced" ? <span className="bad">{t(`told.contact.${state}`)}</span> : t("primaryContact.help");
};

export type TabProps = {
  token: Token;
  form: Form;
  put: (change: Partial<Form>) => void;
  error: (field: string) => string | undefined;
  readOnly: boolean;
};

export function Overview({ token, form, put, error, readOnly }: TabProps) {
  const words = useWords();
  const { t } = words;
  const { kind } = useAccount();
  const limits = { value: form.limits, onChange: (change: Partial<Limits>) => put({ limits: { ...form.limits, ...change } }), error, readOnly };
  return (
    <div className="card">
      <Section title={t("tab.overview")} what={t("overview.what")}>
        <Field label={t("tokenName")} value={form.name} onChange={(name) => put({ name })} maxLength={100} error={error("name")} readOnly={readOnly} />
        <Field label={t("description")} value={form.description} onChange={(description) => put({ description })} lines={3} maxLength={500} error={error("description")} readOnly={readOnly} />
        {token.upgrade_available && !readOnly ? (
          <Choice
            label={t("apiVersion")}
            value={String(form.api_version)}
            onChange={(version) => put({ api_version: Number(version) })}
            help={t("version.up")}
            error={error("api_version")}
            options={kind.versions.filter((row) => row.number >= token.api_version).sort((a, b) => b.number - a.number).map((row) => versionOption(words, row, kind.latest_version))}
          />
        ) : null}
      </Section>
      <Section title={t("limits")} what={t("limits.what")}>
        <ExpiryField {...limits} />
        <UseLimits {...limits} />
      </Section>
      <Section title={t("facts")}>
        <dl className="kv">
          <div><dt>{t("filter.created")}</dt><dd><Day moment={token.created_at} /></dd></div>
          <div><dt>{t("updated")}</dt><dd><When moment={token.updated_at} /></dd></div>
          <div><dt>{t("lastUsed")}</dt><dd>{token.last_used_at ? <When moment={token.last_used_at} /> : t("never")}{token.last_used_from ? <> · <span className="mono">{token.last_used_from}</span></> : null}</dd></div>
          <div><dt>{t("generation")}</dt><dd>{token.secret.generation}</dd></div>
        </dl>
      </Section>
    </div>
  );
}

export function Credentials({ token, form, put, error, readOnly, contacts, overlap, onOverlap, onReset }: TabProps & { contacts: Option[]; overlap: Overlap; onOverlap: (overlap: Overlap) => void; onReset: () => void }) {
  const { t } = useWords();
  const { account } = useAccount();
  const reveal = useCallback(
    () => data(api.POST("/api/v1/accounts/{account_id}/tokens/{token_id}/reveal", { params: { path: { account_id: account.id, token_id: token.id } } })),
    [account.id, token.id],
  );
  return (
    <div className="card">
      <Section title={t("credentials")} what={t("credentials.what")}>
        <Copyable label={t("sid")} value={token.sid} />
        <SecretField key={token.secret.generation} reveal={reveal} last4={token.secret.last4} recoverable={token.secret.recoverable} />
      </Section>
      {readOnly ? null : (
        <Section title={t("resetToken")} what={t("resetToken.what")}>
          <OverlapChoice value={overlap} onChange={onOverlap} />
          <div><Button icon="reset" onPress={onReset}>{t("resetToken")}…</Button></div>
        </Section>
      )}
      <Section title={t("told")} what={t("told.what")}>
        <Choice label={t("primaryContact")} icon="person" value={form.primary_contact || null} onChange={(primary_contact) => put({ primary_contact })} options={contacts} error={error("primary_contact")} isDisabled={readOnly} help={contactHelp(t, token)} />
        <Emails value={form.developer_emails} onChange={(developer_emails) => put({ developer_emails })} error={error("developer_emails")} readOnly={readOnly} told={token.told} />
        {readOnly ? null : <ul className="asks">{token.told.filter((row) => row.state === "unconfirmed").map((row) => <li key={row.address} className="t13 muted">{t("told.unconfirmed", { address: row.address })} <AskAgain address={row.address} /></li>)}</ul>}
      </Section>
    </div>
  );
}
