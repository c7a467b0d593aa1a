// What bounds a token: the day it ends, from where it may be used, and how often. The same fields in the wizard and on
// the token page.
import { useState } from "react";
import type { Token } from "../api/client";
import { useWords } from "../i18n";
import { Button, Choice, Field } from "./controls";
import { useAccount } from "./current";

export type Limits = { expires_on: string; addresses: string; requests: string; window_secs: number };
export const NO_LIMITS: Limits = { expires_on: "", addresses: "", requests: "", window_secs: 3600 };
const WINDOWS = [1, 60, 3600, 86_400] as const;
const DAY = 86_400_000;
const AHEAD = [30, 90, 365] as const;

export const limitsOf = (token: Token): Limits => ({
  expires_on: token.expires_at ? token.expires_at.slice(0, 10) : "",
  addresses: token.addresses.join("\n"),
  requests: token.rate_limit ? String(token.rate_limit.requests) : "",
  window_secs: token.rate_limit?.window_secs ?? NO_LIMITS.window_secs,
});

/** To the end of the day in UTC, as the field says. */
export const expiresAt = (limits: Limits) => (limits.expires_on ? `${limits.expires_on}T23:59:59Z` : null);
export const networks = (limits: Limits) => limits.addresses.split(/[\s,;]+/).filter(Boolean);
export const rateLimit = (limits: Limits) => (limits.requests ? { requests: Number(limits.requests), window_secs: limits.window_secs } : null);

const dayAhead = (days: number) => new Date(Date.now() + days * DAY).toISOString().slice(0, 10);

type Props = { value: Limits; onChange: (change: Partial<Limits>) => void; error: (field: "expires_at" | "addresses" | "rate_limit") => string | undefined; readOnly?: boolean };

export function ExpiryField({ value, onChange, error, readOnly }: Props) {
  const { t } = useWords();
  const { account, kind } = useAccount();
  const bound = account.token_lifetime_days ?? kind.token_lifetime_days;
  const [least] = useState(() => dayAhead(0));
  return (
    <div className="field">
      <Field label={t("expiry")} type="date" value={value.expires_on} onChange={(expires_on) => onChange({ expires_on })} help={bound ? t("expiry.bound", { days: bound }) : t("expiry.help")} error={error("expires_at")} readOnly={readOnly ?? false} least={least} />
      {readOnly ? null : (
        <div className="quick" role="group" aria-label={t("expiry.quick")}>
          {AHEAD.map((days) => (
            <Button key={days} small onPress={() => onChange({ expires_on: dayAhead(days) })}>{t("expiry.days", { days })}</Button>
          ))}
          {value.expires_on ? <Button look="quiet" small onPress={() => onChange({ expires_on: "" })}>{t("expiry.clear")}</Button> : null}
        </div>
      )}
    </div>
  );
}

export function UseLimits({ value, onChange, error, readOnly }: Props) {
  const { t, number } = useWords();
  const custom = WINDOWS.some((window) => window === value.window_secs) ? [] : [value.window_secs];
  const wrong = error("rate_limit");
  return (
    <>
      <Field label={t("addresses")} value={value.addresses} onChange={(addresses) => onChange({ addresses })} lines={3} mono help={t("addresses.help")} error={error("addresses")} readOnly={readOnly ?? false} />
      <div className="field">
        <div className="rate-fields">
          <Field label={t("rate")} type="number" value={value.requests} onChange={(requests) => onChange({ requests })} readOnly={readOnly ?? false} placeholder={t("rate.none")} error={wrong} least="1" />
          <Choice
            label={t("rate.window")}
            value={String(value.window_secs)}
            onChange={(window) => onChange({ window_secs: Number(window) })}
            isDisabled={(readOnly ?? false) || !value.requests}
            options={[...WINDOWS.map((window) => ({ id: String(window), label: t(`rate.per.${window}`) })), ...custom.map((seconds) => ({ id: String(seconds), label: t("rate.per.seconds", { seconds: number(seconds) }) }))]}
          />
        </div>
        <p className="help">{t("rate.help")}</p>
      </div>
    </>
  );
}
