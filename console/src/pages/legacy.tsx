// The page of the legacy pair: overview and its four values.
import { useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { type Token, api, data } from "../api/client";
import { legacyQuery } from "../api/queries";
import { useWords } from "../i18n";
import { Button, Chip, Choice, Copyable } from "../parts/controls";
import { useAccount } from "../parts/current";
import { Page } from "../parts/frame";
import { Icon } from "../parts/icon";
import { Seal } from "../parts/seal";
import { SecretField } from "../parts/secret";
import { Section } from "../parts/section";
import { Day, Empty, Failed, Loading, When } from "../parts/states";
import { type LegacyDeed, LegacyDialog, legacyOff, legacyUpgrade } from "./legacy-card";
import { versionOption } from "./deeds";
import { NoView } from "./tokens";
import "./token.css";

export function LegacyPage() {
  const words = useWords();
  const { t } = words;
  const { account, kind, may } = useAccount();
  const { tab = "overview" } = useSearch({ from: "/frame/accounts/$account/legacy" });
  const found = useQuery({ ...legacyQuery(account.id), enabled: may("tokens.view") });
  const [deed, setDeed] = useState<LegacyDeed | null>(null);
  const [chosen, setChosen] = useState<string | null>(null);
  const home = `/accounts/${account.id}/tokens`;
  const legacy = found.data;
  const steps = [{ name: words.label(kind.page_label), to: home }, { name: t("legacy") }];
  if (!may("tokens.view")) return <Page title={t("legacy")}><NoView /></Page>;
  if (!legacy) return <Page title={t("legacy")} steps={steps}>{found.isError ? <Failed error={found.error} retry={() => void found.refetch()} /> : <Loading />}</Page>;
  if (!legacy.enabled || !legacy.read_write || !legacy.read_only) {
    return <Page title={t("legacy")} steps={steps}><Empty icon="layers" title={t("legacy.off")} actions={<Link className="btn" to="/accounts/$account/tokens" params={{ account: account.id }}>{t("back")}</Link>}>{t("legacy.what")}</Empty></Page>;
  }
  const off = legacyOff(legacy);
  const upgrade = legacyUpgrade(legacy);
  const manages = may("tokens.manage");
  const present = legacy.read_write.api_version;
  const version = chosen ?? String(present);
  const newer = Number(version) > present;
  const used = (token: Token) => (token.last_used_at ? <><When moment={token.last_used_at} />{token.last_used_from ? <> · <span className="mono">{token.last_used_from}</span></> : null}</> : t("never"));
  const half = (token: Token, name: string, which: "read-write" | "read-only") => (
    <Section title={name} what={which === "read-write" ? t("legacy.readWrite") : t("legacy.readOnly")}>
        <Copyable label={t("sid")} value={token.sid} />
        <SecretField
          key={token.secret.generation}
          last4={token.secret.last4}
          recoverable={token.secret.recoverable}
          label={`${t("authToken")} (${name})`}
          reveal={() => data(api.POST("/api/v1/accounts/{account_id}/legacy-tokens/{half}/reveal", { params: { path: { account_id: account.id, half: which } } }))}
        />
        {manages ? <div><Button icon="reset" onPress={() => setDeed(which === "read-write" ? "reset-read-write" : "reset-read-only")}>{which === "read-write" ? t("reset.readWrite") : t("reset.readOnly")}…</Button></div> : null}
    </Section>
  );
  return (
    <>
      <Page
        title={<div className="ttl"><h1>{t("legacy")}</h1><Chip tone="legacy" icon="layers">{t("legacy.chip")}</Chip>{off ? <Chip tone="disabled" icon="power">{t("disabled")}</Chip> : <Chip tone="enabled" icon="dot">{t("enabled")}</Chip>}</div>}
        name={t("legacy")}
        seal={<Seal sid={legacy.read_write.sid} state="legacy" />}
        steps={steps}
        sum={<p className="meta"><span>{t("version", { version: legacy.read_write.api_version })}</span></p>}
      >
        <div className="split">
          <nav className="side" aria-label={t("legacy")}>
            {(["overview", "credentials"] as const).map((one) => (
              <Link key={one} to="/accounts/$account/legacy" params={{ account: account.id }} search={one === "overview" ? {} : { tab: one }} activeOptions={{ exact: true }}>
                <Icon name={one === "overview" ? "page" : "key"} />
                {t(`tab.${one}`)}
              </Link>
            ))}
          </nav>
          {tab === "credentials" ? (
            <div className="card">
              {half(legacy.read_write, t("readWrite"), "read-write")}
              {half(legacy.read_only, t("readOnly"), "read-only")}
            </div>
          ) : (
            <div className="card">
              <Section title={t("tab.overview")} what={kind.legacy_cut_over ? t("legacy.desc", { date: words.date(kind.legacy_cut_over) }) : null}>
                  <p>{t("legacy.what")}</p>
                  {upgrade && manages ? (
                    <Choice label={t("apiVersion")} value={version} onChange={setChosen} help={t("version.up")} options={kind.versions.filter((row) => row.number >= present).sort((a, b) => b.number - a.number).map((row) => versionOption(words, row, kind.latest_version))} />
                  ) : null}
                  <dl className="kv">
                    {upgrade && manages ? null : <div><dt>{t("apiVersion")}</dt><dd>{t("pair.dot", { one: present, other: upgrade ? t("upgrade.available", { version: upgrade }) : t("latest") })}</dd></div>}
                    <div><dt>{t("filter.created")}</dt><dd><Day moment={legacy.read_write.created_at} /></dd></div>
                    <div><dt>{t("lastUsed")} · {t("readWrite")}</dt><dd>{used(legacy.read_write)}</dd></div>
                    <div><dt>{t("lastUsed")} · {t("readOnly")}</dt><dd>{used(legacy.read_only)}</dd></div>
                  </dl>
                  {manages ? <div><Button icon="copy" onPress={() => setDeed("duplicate")}>{t("legacy.way")}</Button></div> : null}
              </Section>
            </div>
          )}
        </div>
      </Page>
      {manages ? (
        <section className="bar" aria-label={t("actions")}>
          <div>
            {upgrade ? <Button look="primary" isDisabled={!newer} onPress={() => setDeed("upgrade")}>{t("update")}</Button> : null}
            {off ? <Button icon="power" onPress={() => setDeed("enable")}>{t("enable")}</Button> : <Button icon="power" onPress={() => setDeed("disable")}>{t("disable")}</Button>}
            <Button look="danger" icon="bin" onPress={() => setDeed("delete")}>{t("delete")}</Button>
          </div>
        </section>
      ) : null}
      {deed ? <LegacyDialog deed={deed} legacy={legacy} version={newer ? version : undefined} onClose={() => (setDeed(null), setChosen(null))} /> : null}
    </>
  );
}
