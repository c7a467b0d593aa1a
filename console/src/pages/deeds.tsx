// What can be done to a token, each with the dialog that says what it will change before it does.
import { useMutation, useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { Checkbox, Radio, RadioGroup } from "react-aria-components";
import { type Overlap, type TokenSummary, api, data, once, seen } from "../api/client";
import { forgetToken, renewTokens, tokenQuery } from "../api/queries";
import { useWords } from "../i18n";
import { Banner, Button, Choice, Copyable, Dialog, Field, Stops, Tick } from "../parts/controls";
import { useAccount } from "../parts/current";
import { reachOf } from "../parts/reach";
import { tell } from "../parts/receipt";
import { Seal } from "../parts/seal";
import { ErrorBanner } from "../parts/problem";
import { sealState, shownState } from "../parts/token";
import { toldStop } from "../parts/told";

export type Deed = "duplicate" | "reset" | "overlap" | "upgrade" | "disable" | "enable" | "delete";
export type Doing = { deed: Deed; token: TokenSummary; overlap?: Overlap };
export const OVERLAPS = ["none", "1h", "24h", "7d"] as const satisfies readonly Overlap[];
const HOURS: Record<Overlap, number> = { none: 0, "1h": 1, "24h": 24, "7d": 168 };

export type Made = { sid: string; secret: string | null; reason?: string | null | undefined };

export function NewSecret({ title, made, onClose, children }: { title: string; made: Made[]; onClose: () => void; children?: ReactNode }) {
  const { t } = useWords();
  return (
    <Dialog title={title} firm wide onClose={onClose} footer={<Button look="primary" onPress={onClose}>{t("secret.kept")}</Button>}>
      {children}
      {made.map((one) => (
        <div className="stack" key={one.sid}>
          <Copyable label={t("sid")} value={one.sid} />
          {one.secret ? <Copyable label={t("authToken")} value={one.secret} /> : <Banner tone="warn">{one.reason ?? t("secret.gone")}</Banner>}
        </div>
      ))}
      <p className="help">{t("secret.care")}</p>
    </Dialog>
  );
}

/** Whether the token is in use, when and from where it was last used. */
export function Usage({ token }: { token: Pick<TokenSummary, "last_used_at" | "last_used_from"> }) {
  const { t, relative } = useWords();
  if (!token.last_used_at) return <Banner icon="clock">{t("usage.never")}</Banner>;
  const from = token.last_used_from ?? t("usage.somewhere");
  const recent = Date.now() - new Date(token.last_used_at).getTime() < 86_400_000;
  return (
    <Banner tone={recent ? "warn" : ""} icon={recent ? "bolt" : "clock"}>
      {recent ? <strong>{t("usage.busy")} </strong> : null}
      {t("usage.last", { when: relative(token.last_used_at), from })}
    </Banner>
  );
}

export function OverlapChoice({ value, onChange }: { value: Overlap; onChange: (overlap: Overlap) => void }) {
  const { t, language } = useWords();
  const until = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  return (
    <RadioGroup className="radios" aria-label={t("overlap")} value={value} onChange={(next) => onChange(next as Overlap)}>
      {OVERLAPS.map((overlap) => (
        <Radio key={overlap} value={overlap} className="check radio">
          <span className="mark" />
          <span>
            <b>{t(`overlap.${overlap}`)}</b>
            <span className="help">
              {overlap === "none" ? t("overlap.now") : t("overlap.until", { when: until.format(Date.now() + HOURS[overlap] * 3_600_000) })}
            </span>
          </span>
        </Radio>
      ))}
    </RadioGroup>
  );
}

/** The dialog of one deed, and after it the new secret where there is one. */
export function TokenDeed({ doing, onClose, onDone }: { doing: Doing; onClose: () => void; onDone?: (deed: Deed) => void }) {
  const words = useWords();
  const { t } = words;
  const { account, kind } = useAccount();
  const { token, deed } = doing;
  const path = { account_id: account.id, token_id: token.id };
  const [key] = useState(once);
  const full = useQuery(tokenQuery(account.id, token.id)).data;
  const [overlap, setOverlap] = useState<Overlap>(doing.overlap ?? "none");
  const [version, setVersion] = useState(String(kind.latest_version));
  const [name, setName] = useState(deed === "duplicate" ? t("duplicate.name", { name: token.name }).slice(0, 100) : "");
  const [withReset, setWithReset] = useState(false);
  const [offspring, setOffspring] = useState(true);
  const [made, setMade] = useState<{ secret: string | null; reason?: string | null | undefined; sid: string } | null>(null);

  const run = useMutation({
    async mutationFn() {
      const root = "/api/v1/accounts/{account_id}/tokens/{token_id}" as const;
      switch (deed) {
        case "duplicate":
          return data(api.POST(`${root}/duplicate`, { params: { path, header: key }, body: { name } }));
        case "reset":
          return data(api.POST(`${root}/reset`, { params: { path, header: key }, body: { confirm: true, overlap, include_made_by_it: offspring } }));
        case "overlap":
          return { ...(await data(api.POST(`${root}/overlap/end`, { params: { path }, body: { confirm: true } }))), secret: undefined, secret_unavailable_reason: undefined };
        case "upgrade":
          return data(api.POST(`${root}/upgrade`, { params: { path }, body: { api_version: Number(version) } }));
        case "disable":
          return data(api.POST(`${root}/disable`, { params: { path }, body: { include_made_by_it: offspring } }));
        case "enable":
          return data(api.POST(`${root}/enable`, { params: { path, header: key }, body: { reset: withReset } }));
        case "delete": {
          const query = { confirm_name: name, include_made_by_it: offspring };
          const gone = await data(api.DELETE(root, { params: { path, header: seen(token.edit), query } }));
          return { ...gone, token: undefined, secret: undefined, secret_unavailable_reason: undefined };
        }
      }
    },
    async onSuccess(answer) {
      await renewTokens(account.id, deed === "delete" ? token.id : undefined);
      tell(t(`done.${deed}`, { name: token.name }), answer.seq);
      onDone?.(deed);
      if (deed === "delete") window.setTimeout(() => forgetToken(account.id, token.id), 0);
      const shows = deed === "duplicate" || deed === "reset" || (deed === "enable" && withReset);
      if (shows && answer.token) setMade({ sid: answer.token.sid, secret: answer.secret ?? null, reason: answer.secret_unavailable_reason });
      else onClose();
    },
  });

  if (made) {
    return <NewSecret title={t("secret.title", { name: deed === "duplicate" ? name : token.name })} made={[made]} onClose={onClose} />;
  }
  const shown = shownState(token);
  const seal = <Seal sid={token.sid} state={sealState(shown)} left={shown.left} />;
  const reach = full ? reachOf(kind, new Set(full.scopes)) : undefined;
  const categories = full ? kind.categories.filter((row) => row.scopes.some((scope) => full.scopes.includes(scope.id))).map((row) => words.label(row.label)) : [];
  const reachStop = reach && reach.held > 0 ? [{ icon: "cross" as const, bad: true, text: t("stops.reach", { writes: reach.writes + reach.deletes, reads: reach.reads }), sub: words.list(categories) }] : [];
  const told = toldStop(words, token);
  const old = token.previous_secret;
  const offspringBox = full?.scopes.some((id) => kind.categories.some((row) => row.management && row.scopes.some((scope) => scope.id === id))) ? (
    <Checkbox className="check" isSelected={offspring} onChange={setOffspring}>
      <Tick />
      <span>{t("offspring")}</span>
    </Checkbox>
  ) : null;

  const body: Record<Deed, () => ReactNode> = {
    duplicate: () => (
      <>
        <p>{t("duplicate.what")}</p>
        <Field label={t("tokenName")} value={name} onChange={setName} maxLength={100} autoFocus />
      </>
    ),
    reset: () => (
      <>
        <Usage token={token} />
        <div className="stack tight">
          <h3>{t("overlap")}</h3>
          <OverlapChoice value={overlap} onChange={setOverlap} />
        </div>
        <Stops
          items={[
            overlap === "none"
              ? { icon: "cross", bad: true, text: t("stops.resetNow"), sub: t("stops.resetNow.sub") }
              : { icon: "clock", text: t("stops.resetLater"), sub: t("stops.resetLater.sub") },
            { icon: "check", text: t("stops.sidStays") },
            told,
          ]}
        />
        {offspringBox}
      </>
    ),
    overlap: () => (
      <Stops
        items={[
          {
            icon: "cross",
            bad: true,
            text: t("stops.overlap"),
            sub: old && old.uses > 0 ? t("stops.overlap.used", { count: old.uses, from: old.last_used_from ?? t("usage.somewhere") }) : t("stops.overlap.unused"),
          },
          { icon: "check", text: t("stops.overlap.new") },
        ]}
      />
    ),
    upgrade: () => (
      <>
        <Choice
          label={t("apiVersion")}
          value={version}
          onChange={setVersion}
          options={kind.versions.filter((row) => row.number > token.api_version).sort((a, b) => b.number - a.number).map((row) => versionOption(words, row, kind.latest_version))}
        />
        <Stops
          items={[
            { icon: "up", text: t("stops.upgrade", { from: token.api_version, to: version }), sub: t("stops.upgrade.sub") },
            { icon: "warn", bad: true, text: t("stops.upgradeOnly"), sub: t("stops.upgradeOnly.sub") },
            { icon: "check", text: t("stops.secretStays") },
            told,
          ]}
        />
      </>
    ),
    disable: () => (
      <>
        <Usage token={token} />
        <h3>{t("stops")}</h3>
        <Stops items={[{ icon: "cross", bad: true, text: t("stops.disable"), sub: t("stops.disable.sub") }, ...reachStop, told, { icon: "reset", text: t("stops.reversible"), sub: t("stops.reversible.sub") }]} />
        {offspringBox}
      </>
    ),
    enable: () => (
      <>
        <Stops items={[{ icon: "check", text: t("stops.enable"), sub: t("stops.enable.sub") }, told]} />
        <Checkbox className="check" isSelected={withReset} onChange={setWithReset}>
          <Tick />
          <span>
            {t("enable.reset")}
            <span className="help block">{t("enable.reset.why")}</span>
          </span>
        </Checkbox>
      </>
    ),
    delete: () => (
      <>
        <Usage token={token} />
        <Stops items={[{ icon: "cross", bad: true, text: t("stops.delete"), sub: t("stops.delete.sub") }, ...reachStop, told, { icon: "pulse", text: t("stops.history") }]} />
        {offspringBox}
        <Field label={t("delete.type", { name: token.name })} value={name} onChange={setName} autoFocus />
      </>
    ),
  };
  const ready = deed !== "delete" || name.trim() === token.name;
  const harm = deed === "overlap" || deed === "disable" || deed === "delete" || deed === "reset";
  return (
    <Dialog
      alert={harm}
      title={t(`ask.${deed}`, { name: token.name })}
      sub={token.sid}
      seal={seal}
      onClose={onClose}
      footer={
        <>
          <Button onPress={onClose} autoFocus={deed !== "delete" && deed !== "duplicate"}>
            {t(`keep.${deed}`)}
          </Button>
          <Button look={harm ? "danger-fill" : "primary"} busy={run.isPending} isDisabled={!ready} onPress={() => run.mutate()}>
            {t(`do.${deed}`)}
          </Button>
        </>
      }
    >
      <ErrorBanner error={run.error} />
      {body[deed]()}
    </Dialog>
  );
}

export function versionOption(words: ReturnType<typeof useWords>, version: { number: number; released_at?: string | null; deprecated_at?: string | null; sunset_at?: string | null }, latest: number) {
  const facts = [
    version.number === latest ? words.t("version.recommended") : "",
    version.released_at ? words.t("version.released", { date: words.date(version.released_at) }) : "",
    version.deprecated_at ? words.t("version.deprecated", { date: words.date(version.deprecated_at) }) : "",
    version.sunset_at ? words.t("version.sunset", { date: words.date(version.sunset_at) }) : "",
  ].filter(Boolean);
  return { id: String(version.number), label: words.t("version", { version: version.number }), sub: facts.join(" · ") };
}
