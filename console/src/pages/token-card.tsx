// A token in the list: what it is, what it may do, who answers for it, what needs care, and its menu.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, memo, useEffect, useRef, useState } from "react";
import { Menu, MenuItem, Popover, Separator } from "react-aria-components";
import type { TokenSummary } from "../api/client";
import { tokenQuery } from "../api/queries";
import { useWords } from "../i18n";
import { Button, Chip } from "../parts/controls";
import { useAccount } from "../parts/current";
import { Icon, type IconName } from "../parts/icon";
import { Signature, operationsOf, reachText } from "../parts/reach";
import { Seal } from "../parts/seal";
import { Day, When } from "../parts/states";
import { useSettled } from "../parts/settled";
import { useToldNotes } from "../parts/told";
import { type Shown, sealState, shownState } from "../parts/token";
import type { Deed, Doing } from "./deeds";


export function StateChip({ shown }: { shown: Shown }) {
  const { t } = useWords();
  if (shown.state === "expiring") return <Chip tone="expiring" icon="clock">{t("expiresIn", { days: shown.days })}</Chip>;
  if (shown.state === "expired") return <Chip tone="danger" icon="clock">{t("expired")}</Chip>;
  if (shown.state === "disabled") return <Chip tone="disabled" icon="power">{t("disabled")}</Chip>;
  return <Chip tone="enabled" icon="dot">{t("enabled")}</Chip>;
}

export const TokenCard = memo(function TokenCard({ token, manages, onDeed, onMenu, menuOpen }: { token: TokenSummary; manages: boolean; onDeed: (doing: Doing) => void; onMenu: (ask: MenuAsk) => void; menuOpen: boolean }) {
  const words = useWords();
  const { t } = words;
  const { account, kind } = useAccount();
  const settled = useSettled();
  const full = useQuery({ ...tokenQuery(account.id, token.id), enabled: settled && token.scopes_count > 0, staleTime: 60_000 }).data;
  const shown = shownState(token);
  const scopes = new Set(full?.scopes ?? []);
  const held = token.reads + token.writes;
  const text = reachText(words, { held, all: operationsOf(kind), writes: token.writes, deletes: 0 });
  const retired = token.scopes_count - held;
  return (
    <article className={`card tok ${token.state === "enabled" ? "" : "off"}`} aria-label={token.name}>
      <Seal sid={token.sid} state={sealState(shown)} left={shown.left} />
      <div className="tok-what">
        <div className="ttl">
          <Link className="name" to="/accounts/$account/tokens/$token" params={{ account: account.id, token: token.id }}>{token.name}</Link>
          <StateChip shown={shown} />
          {retired > 0 ? <Chip tone="retired" icon="retired">{t("retired.count", { count: retired })}</Chip> : null}
          {token.made_by ? <Chip tone="line">{t("madeByToken")}</Chip> : null}
        </div>
        {token.description ? <p className="desc">{token.description}</p> : null}
      </div>
      <dl className="facts">
        <div className="reach">
          <dt>{t("apiScopes")}</dt>
          <dd>
            <Signature kind={kind} scopes={scopes} label={text} />
            <span className="sub">{text}</span>
          </dd>
        </div>
        <div>
          <dt>{t("apiVersion")}</dt>
          <dd>
            {token.api_version}
            <span className="sub"><Upgrade token={token} onDeed={manages ? onDeed : undefined} /></span>
          </dd>
        </div>
        <div>
          <dt>{t("lastUsed")}</dt>
          <dd>
            {token.last_used_at ? <When moment={token.last_used_at} /> : t("never")}
            {token.last_used_from ? <span className="sub">{token.last_used_from}</span> : null}
          </dd>
        </div>
        <div>
          <dt>{t("primaryContact")}</dt>
          <dd>{token.primary_contact?.name ?? t("contact.none")}</dd>
        </div>
        <div>
          <dt>{t("filter.created")}</dt>
          <dd>
            <Day moment={token.created_at} />
            <span className="sub">{token.effective_expires_at ? t("expires", { date: words.date(token.effective_expires_at) }) : t("expires.never")}</span>
          </dd>
        </div>
      </dl>
      <div className="more">{manages ? <MenuButton token={token} onMenu={onMenu} isOpen={menuOpen} /> : null}</div>
      <TokenNotes token={token} onDeed={manages ? onDeed : undefined} />
    </article>
  );
});

function Upgrade({ token, onDeed }: { token: TokenSummary; onDeed: ((doing: Doing) => void) | undefined }) {
  const { t } = useWords();
  if (!token.upgrade_available) return t("latest");
  const text = t("upgrade.available", { version: token.upgrade_available });
  if (!onDeed) return text;
  return (
    <button className="up" type="button" onClick={() => onDeed({ deed: "upgrade", token })}>
      <Icon name="up" />
      {text}
    </button>
  );
}

/** The most notes a card shows; the token's page shows all. */
const NOTES_MOST = 2;

/** What needs care, the gravest first, with the one deed that mends it. `standing`: by itself, not at the foot of a card. */
export function TokenNotes({ token, onDeed, standing }: { token: TokenSummary; onDeed: ((doing: Doing) => void) | undefined; standing?: boolean }) {
  const words = useWords();
  const { t } = words;
  const { account, kind } = useAccount();
  const manages = onDeed !== undefined;
  const link = (text: string, tab: "credentials" | undefined) =>
    manages ? <Link className="btn link" to="/accounts/$account/tokens/$token" params={{ account: account.id, token: token.id }} search={tab ? { tab } : {}}>{text}</Link> : null;
  const told = useToldNotes(token, manages, link(t("told.nobody.do"), "credentials"), standing ? null : link(t("told.see"), "credentials"));
  const notes: { key: string; icon: IconName; care?: boolean; text: ReactNode; action?: ReactNode }[] = [];
  const old = token.previous_secret;
  const shown = shownState(token);
  const version = kind.versions.find((row) => row.number === token.api_version);
  const ended = version?.sunset_at && new Date(version.sunset_at).getTime() <= Date.now();
  if (ended) notes.push({ key: "version", icon: "warn", care: true, text: t("age.retired", { version: token.api_version }), action: <Upgrade token={token} onDeed={onDeed} /> });
  if (token.secret.weak) notes.push({ key: "weak", icon: "warn", care: true, text: t("weak"), action: onDeed ? <Button look="link" small onPress={() => onDeed({ deed: "reset", token })}>{t("reset")}</Button> : null });
  if (old) {
    const used = old.uses > 0 && old.last_used_from;
    const text = used ? t("overlap.used", { when: words.minute(old.ends_at), count: old.uses, from: old.last_used_from ?? "" }) : t("overlap.unused", { when: words.minute(old.ends_at) });
    notes.push({ key: "overlap", icon: "reset", care: true, text, action: onDeed ? <Button look="link" small onPress={() => onDeed({ deed: "overlap", token })}>{t("overlap.end")}</Button> : null });
  }
  if (shown.state === "expiring" || shown.state === "expired") {
    const by = token.expiry_set_by;
    const date = words.date(token.effective_expires_at ?? "");
    const text = by === "account" || by === "platform" ? t(`expiry.${by}`, { date }) : t("expires", { date });
    const next = manages ? <Link className="btn link" to="/accounts/$account/tokens/new" params={{ account: account.id }} search={{ from: token.id }}>{t("successor")}</Link> : null;
    notes.push({ key: "expiry", icon: "clock", care: true, text, action: next });
  }
  if (!ended && version?.deprecated_at && new Date(version.deprecated_at).getTime() <= Date.now()) {
    const text = version.sunset_at ? t("age.ending", { version: version.number, date: words.date(version.sunset_at) }) : t("age.deprecated", { version: version.number });
    notes.push({ key: "version", icon: "up", text, action: standing ? <Upgrade token={token} onDeed={onDeed} /> : null });
  }
  for (const one of told) notes.push({ icon: "mail", care: one.key !== "unconfirmed", ...one });
  if (notes.length === 0) return null;
  const rows = (standing ? notes : notes.slice(0, NOTES_MOST)).map((one) => (
    <div key={one.key} className={one.care ? "note care" : "note"}>
      <Icon name={one.icon} />
      <span>{one.text}</span>
      <span className="deed">{one.action}</span>
    </div>
  ));
  return standing ? <div className="card notes">{rows}</div> : rows;
}

export type MenuAsk = { token: TokenSummary; button: HTMLButtonElement };

/** The button of a card's menu. A thousand cards share one menu, so the button is a plain one. */
function MenuButton({ token, onMenu, isOpen }: { token: TokenSummary; onMenu: (ask: MenuAsk) => void; isOpen: boolean }) {
  const { t } = useWords();
  const open = (button: HTMLButtonElement) => onMenu({ token, button });
  return (
    <button
      type="button"
      className="btn quiet sm icon"
      aria-label={t("more", { name: token.name })}
      aria-haspopup="menu"
      aria-expanded={isOpen}
      onClick={(event) => open(event.currentTarget)}
      onKeyDown={(event) => {
        if (event.key === "ArrowDown" || event.key === "ArrowUp") {
          event.preventDefault();
          open(event.currentTarget);
        }
      }}
    >
      <Icon name="dots" />
    </button>
  );
}

/** The menu of whichever card asked for it. */
export function CardMenu({ ask, onClose, onDeed }: { ask: MenuAsk; onClose: () => void; onDeed: (doing: Doing) => void }) {
  const { t } = useWords();
  const { token, button } = ask;
  const trigger = useRef(button);
  trigger.current = button;
  const menu = useRef<HTMLDivElement>(null);
  // The list of the menu is known one frame after it opened.
  useEffect(() => {
    const frame = requestAnimationFrame(() => menu.current?.querySelector<HTMLElement>("[role=menuitem]")?.focus());
    return () => cancelAnimationFrame(frame);
  }, []);
  const run = (deed: Deed) => {
    onClose();
    // The dialog gives the focus back to what had it when it opened.
    window.setTimeout(() => {
      button.focus();
      onDeed({ deed, token });
    }, 0);
  };
  return (
    <Popover className="pop" placement="bottom end" aria-label={t("more", { name: token.name })} triggerRef={trigger} isOpen onOpenChange={(open) => !open && onClose()}>
      <Menu ref={menu} className="menu-list" aria-label={t("more", { name: token.name })} onClose={onClose} onAction={(key) => run(key as Deed)}>
        <MenuItem id="duplicate" textValue={t("duplicate")} className="item"><Icon name="copy" />{t("duplicate")}</MenuItem>
        <MenuItem id="reset" textValue={t("reset")} className="item"><Icon name="reset" />{t("reset")}</MenuItem>
        <MenuItem id="upgrade" className="item" textValue={t("upgrade")} isDisabled={!token.upgrade_available}>
          <Icon name="up" />
          {t("upgrade")}
          <span className="hint">{token.upgrade_available ? `${token.api_version} → ${token.upgrade_available}` : t("latest")}</span>
        </MenuItem>
        <Separator className="rule" />
        {token.state === "disabled" ? (
          <MenuItem id="enable" textValue={t("enable")} className="item"><Icon name="power" />{t("enable")}</MenuItem>
        ) : (
          <MenuItem id="disable" textValue={t("disable")} className="item"><Icon name="power" />{t("disable")}</MenuItem>
        )}
        <MenuItem id="delete" textValue={t("delete")} className="item danger"><Icon name="bin" />{t("delete")}</MenuItem>
      </Menu>
    </Popover>
  );
}
