// The legacy pair: its card, its menu, and the dialogs of everything that can be done to it.
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { Menu, MenuItem, MenuTrigger, Popover, Separator } from "react-aria-components";
import { type Legacy, type Overlap, type Token, api, data, once } from "../api/client";
import { queryClient, renewTokens } from "../api/queries";
import { useWords } from "../i18n";
import { Button, Chip, Choice, Dialog, Field, Stops } from "../parts/controls";
import { useAccount } from "../parts/current";
import { Icon } from "../parts/icon";
import { tell } from "../parts/receipt";
import { Seal } from "../parts/seal";
import { ErrorBanner } from "../parts/problem";
import { When } from "../parts/states";
import { type Made, NewSecret, OverlapChoice, Usage, versionOption } from "./deeds";

export type LegacyDeed = "reset-read-write" | "reset-read-only" | "upgrade" | "duplicate" | "disable" | "enable" | "delete";

const made = (answer: { legacy_tokens: Legacy; read_write_secret?: string | null; read_only_secret?: string | null; secret_unavailable_reason?: string | null }): Made[] => {
  const rows: [Token | null | undefined, string | null | undefined][] = [
    [answer.legacy_tokens.read_write, answer.read_write_secret],
    [answer.legacy_tokens.read_only, answer.read_only_secret],
  ];
  return rows.flatMap(([token, secret]) => (token && secret ? [{ sid: token.sid, secret, reason: answer.secret_unavailable_reason }] : []));
};

export function EnableLegacy({ onClose }: { onClose: () => void }) {
  const { t } = useWords();
  const { account } = useAccount();
  const [shown, setShown] = useState<Made[] | null>(null);
  const run = useMutation({
    mutationFn: () => data(api.POST("/api/v1/accounts/{account_id}/legacy-tokens", { params: { path: { account_id: account.id } } })),
    async onSuccess(answer) {
      setShown(made(answer));
      await renewTokens(account.id);
      tell(t("legacy.done.created"), answer.seq);
    },
  });
  if (shown) return <NewSecret title={t("legacy")} made={shown} onClose={onClose} />;
  return (
    <Dialog
      title={t("legacy.ask")}
      onClose={onClose}
      footer={
        <>
          <Button onPress={onClose} autoFocus>{t("cancel")}</Button>
          <Button look="primary" busy={run.isPending} onPress={() => run.mutate()}>{t("legacy.enable")}</Button>
        </>
      }
    >
      <ErrorBanner error={run.error} />
      <p>{t("legacy.what")}</p>
      <Stops
        items={[
          { icon: "key", text: t("readWrite"), sub: t("legacy.readWrite") },
          { icon: "key", text: t("readOnly"), sub: t("legacy.readOnly") },
          { icon: "warn", bad: true, text: t("legacy.risk"), sub: t("legacy.risk.sub") },
        ]}
      />
    </Dialog>
  );
}

export function LegacyDialog({ deed, legacy, version: wanted, onClose }: { deed: LegacyDeed; legacy: Legacy; version?: string | undefined; onClose: () => void }) {
  const words = useWords();
  const { t } = words;
  const { account, kind } = useAccount();
  const [key] = useState(once);
  const [overlap, setOverlap] = useState<Overlap>("none");
  const [version, setVersion] = useState(wanted ?? String(kind.latest_version));
  const [name, setName] = useState(t("duplicate.name", { name: t("legacy") }));
  const [shown, setShown] = useState<Made[] | null>(null);
  const path = { account_id: account.id };
  const root = "/api/v1/accounts/{account_id}/legacy-tokens" as const;
  const half = deed === "reset-read-only" ? legacy.read_only : legacy.read_write;
  const run = useMutation({
    async mutationFn() {
      if (deed === "duplicate") {
        const answer = await data(api.POST(`${root}/duplicate`, { params: { path, header: key }, body: { name } }));
        return { seq: answer.seq, made: [{ sid: answer.token.sid, secret: answer.secret ?? null, reason: answer.secret_unavailable_reason }] };
      }
      const answer = await (deed === "upgrade"
        ? data(api.POST(`${root}/upgrade`, { params: { path }, body: { api_version: Number(version) } }))
        : deed === "disable"
          ? data(api.POST(`${root}/disable`, { params: { path } }))
          : deed === "enable"
            ? data(api.POST(`${root}/enable`, { params: { path } }))
            : deed === "delete"
              ? data(api.DELETE(root, { params: { path, query: { confirm: true } } }))
              : data(
                  api.POST(`${root}/{half}/reset`, {
                    params: { path: { ...path, half: deed === "reset-read-only" ? "read-only" : "read-write" }, header: key },
                    body: { confirm: true, overlap },
                  }),
                ));
      return { seq: answer.seq, made: made(answer) };
    },
    async onSuccess(answer) {
      await renewTokens(account.id);
      void queryClient.invalidateQueries({ queryKey: ["session"] });
      tell(t("legacy.done"), answer.seq);
      if (answer.made.length > 0) setShown(answer.made);
      else onClose();
    },
  });
  if (shown) return <NewSecret title={deed === "duplicate" ? t("secret.title", { name }) : t("legacy")} made={shown} onClose={onClose} />;
  const current = legacy.read_write?.api_version ?? 0;
  // Of the two, the one that was used last.
  const used = [legacy.read_write, legacy.read_only].filter((token) => token !== null && token !== undefined).sort((a, b) => (b.last_used_at ?? "").localeCompare(a.last_used_at ?? ""));
  const usage = used[0] ? <Usage token={used[0]} /> : null;
  const said: Record<LegacyDeed, { ask: string; run: string; keep: string; body: ReactNode; harm?: boolean }> = {
    "reset-read-write": { ask: t("legacy.ask.reset", { half: t("readWrite") }), run: t("do.reset"), keep: t("keep.reset"), harm: true, body: <ResetBody half={half} overlap={overlap} onChange={setOverlap} /> },
    "reset-read-only": { ask: t("legacy.ask.reset", { half: t("readOnly") }), run: t("do.reset"), keep: t("keep.reset"), harm: true, body: <ResetBody half={half} overlap={overlap} onChange={setOverlap} /> },
    upgrade: {
      ask: t("ask.upgrade", { name: t("legacy") }),
      run: t("do.upgrade"),
      keep: t("keep.upgrade"),
      body: (
        <>
          <Choice label={t("apiVersion")} value={version} onChange={setVersion} options={kind.versions.filter((row) => row.number > current).sort((a, b) => b.number - a.number).map((row) => versionOption(words, row, kind.latest_version))} />
          <Stops items={[{ icon: "up", text: t("stops.upgrade", { from: current, to: version }), sub: t("stops.upgrade.sub") }, { icon: "warn", bad: true, text: t("stops.upgradeOnly"), sub: t("stops.upgradeOnly.sub") }]} />
        </>
      ),
    },
    duplicate: {
      ask: t("ask.duplicate", { name: t("legacy") }),
      run: t("do.duplicate"),
      keep: t("keep.duplicate"),
      body: (
        <>
          <p>{t("legacy.duplicate")}</p>
          <Field label={t("tokenName")} value={name} onChange={setName} maxLength={100} autoFocus />
        </>
      ),
    },
    disable: { ask: t("ask.disable", { name: t("legacy") }), run: t("legacy.do.disable"), keep: t("keep.disable"), harm: true, body: <>{usage}<Stops items={[{ icon: "cross", bad: true, text: t("legacy.stops.disable"), sub: t("stops.disable.sub") }, { icon: "reset", text: t("stops.reversible"), sub: t("stops.reversible.sub") }]} /></> },
    enable: { ask: t("ask.enable", { name: t("legacy") }), run: t("legacy.do.enable"), keep: t("keep.enable"), body: <Stops items={[{ icon: "check", text: t("stops.enable"), sub: t("stops.enable.sub") }]} /> },
    delete: { ask: t("ask.delete", { name: t("legacy") }), run: t("legacy.do.delete"), keep: t("keep.delete"), harm: true, body: <>{usage}<Stops items={[{ icon: "cross", bad: true, text: t("legacy.stops.delete"), sub: t("stops.delete.sub") }, { icon: "key", text: t("legacy.stops.back") }]} /></> },
  };
  const say = said[deed];
  return (
    <Dialog
      title={say.ask}
      alert={say.harm ?? false}
      sub={deed.startsWith("reset") ? half?.sid : undefined}
      seal={legacy.read_write ? <Seal sid={legacy.read_write.sid} state="legacy" /> : null}
      onClose={onClose}
      footer={
        <>
          <Button onPress={onClose} autoFocus={deed !== "duplicate"}>{say.keep}</Button>
          <Button look={say.harm ? "danger-fill" : "primary"} busy={run.isPending} onPress={() => run.mutate()}>{say.run}</Button>
        </>
      }
    >
      <ErrorBanner error={run.error} />
      {say.body}
    </Dialog>
  );
}

function ResetBody({ half, overlap, onChange }: { half: Token | null | undefined; overlap: Overlap; onChange: (overlap: Overlap) => void }) {
  const { t } = useWords();
  return (
    <>
      {half ? <Usage token={half} /> : null}
      <div className="stack tight">
        <h3>{t("overlap")}</h3>
        <OverlapChoice value={overlap} onChange={onChange} />
      </div>
      <Stops items={[overlap === "none" ? { icon: "cross", bad: true, text: t("stops.resetNow"), sub: t("stops.resetNow.sub") } : { icon: "clock", text: t("stops.resetLater"), sub: t("stops.resetLater.sub") }, { icon: "check", text: t("stops.sidStays") }]} />
    </>
  );
}

export const legacyUpgrade = (legacy: Legacy) => legacy.read_write?.upgrade_available ?? null;
export const legacyOff = (legacy: Legacy) => legacy.read_write?.state === "disabled";

export function LegacyCard({ legacy }: { legacy: Legacy }) {
  const words = useWords();
  const { t } = words;
  const { account, kind, may } = useAccount();
  const [deed, setDeed] = useState<LegacyDeed | null>(null);
  const upgrade = legacyUpgrade(legacy);
  const off = legacyOff(legacy);
  const manages = may("tokens.manage");
  const operations = kind.categories.filter((row) => !row.management).reduce((sum, row) => sum + row.scopes.length, 0);
  const rows = [
    { name: t("readWrite"), token: legacy.read_write, reach: t("legacy.all", { count: operations }) },
    { name: t("readOnly"), token: legacy.read_only, reach: t("legacy.get") },
  ];
  return (
    <>
      <article className={`card tok pair-card ${off ? "off" : ""}`} aria-label={t("legacy")}>
        <Seal sid={legacy.read_write?.sid ?? legacy.read_only?.sid ?? ""} state="legacy" />
        <div>
          <div className="ttl">
            <Link className="name" to="/accounts/$account/legacy" params={{ account: account.id }}>{t("legacy")}</Link>
            <Chip tone="legacy" icon="layers">{t("legacy.chip")}</Chip>
            {off ? <Chip tone="disabled" icon="power">{t("disabled")}</Chip> : <Chip tone="enabled" icon="dot">{t("enabled")}</Chip>}
            <span className="nowrap v"><span className="faint">{t("apiVersion")}</span> {legacy.read_write?.api_version}</span>
            {upgrade && manages ? (
              <button className="up" type="button" onClick={() => setDeed("upgrade")}><Icon name="up" />{t("upgrade.available", { version: upgrade })}</button>
            ) : null}
          </div>
          <p className="desc">{kind.legacy_cut_over ? t("legacy.desc", { date: words.date(kind.legacy_cut_over) }) : t("legacy.what")}</p>
        </div>
        <div className="more">
          {manages ? (
            <MenuTrigger>
              <Button look="quiet" small icon="dots" aria-label={t("more", { name: t("legacy") })} />
              <Popover className="pop" placement="bottom end">
                <Menu className="menu-list" onAction={(key) => setDeed(key as LegacyDeed)}>
                  <MenuItem id="reset-read-write" textValue={t("reset.readWrite")} className="item"><Icon name="reset" />{t("reset.readWrite")}</MenuItem>
                  <MenuItem id="reset-read-only" textValue={t("reset.readOnly")} className="item"><Icon name="reset" />{t("reset.readOnly")}</MenuItem>
                  {upgrade ? <MenuItem id="upgrade" textValue={t("upgrade")} className="item"><Icon name="up" />{t("upgrade")}</MenuItem> : null}
                  <MenuItem id="duplicate" textValue={t("duplicate")} className="item"><Icon name="copy" />{t("duplicate")}</MenuItem>
                  <Separator className="rule" />
                  {off ? <MenuItem id="enable" textValue={t("enable")} className="item"><Icon name="power" />{t("enable")}</MenuItem> : <MenuItem id="disable" textValue={t("disable")} className="item"><Icon name="power" />{t("disable")}</MenuItem>}
                  <MenuItem id="delete" textValue={t("delete")} className="item danger"><Icon name="bin" />{t("delete")}</MenuItem>
                </Menu>
              </Popover>
            </MenuTrigger>
          ) : null}
        </div>
        <div className="pair">
          {rows.map(({ name, token, reach }) =>
            token ? (
              <div key={name}>
                <strong>{name}</strong>
                <span className="two"><span className="mono">{token.sid}</span><span className="faint nowrap">{reach}</span></span>
                <span className="faint">{token.last_used_at ? <>{t("lastUsed")} <When moment={token.last_used_at} /></> : t("usage.never")}</span>
              </div>
            ) : null,
          )}
        </div>
      </article>
      {deed ? <LegacyDialog deed={deed} legacy={legacy} onClose={() => setDeed(null)} /> : null}
    </>
  );
}
