// The token list: what is wrong, what each token can do, and every deed from the card's menu.
import { useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { memo, useEffect, useRef, useState } from "react";
import { Input, Label, Menu, MenuItem, MenuTrigger, Popover, SearchField, Separator, ToggleButton, ToggleButtonGroup } from "react-aria-components";
import { type TokenSummary, api, data } from "../api/client";
import { type TokenSearch, accountQuery, legacyQuery, renewTokens, tokenQuery, tokensQuery } from "../api/queries";
import { useWords } from "../i18n";
import { Banner, Button, Chip, Choice, useSeen } from "../parts/controls";
import { useAccount } from "../parts/current";
import { Page } from "../parts/frame";
import { Icon } from "../parts/icon";
import { Signature, SignatureKey, reachOf, reachText } from "../parts/reach";
import { tell } from "../parts/receipt";
import { Seal } from "../parts/seal";
import { Day, Empty, ErrorBanner, Failed, Loading, When } from "../parts/states";
import { type Shown, sealState, shownState } from "../parts/token";
import { type Deed, type Doing, TokenDeed } from "./deeds";
import { EnableLegacy, LegacyCard } from "./legacy-card";

const TYPING_MS = 250;

export function Tokens() {
  const words = useWords();
  const { t } = words;
  const { account, kind, may } = useAccount();
  const search = useSearch({ from: "/frame/accounts/$account/tokens" });
  const [doing, setDoing] = useState<Doing | null>(null);
  const [legacyAsk, setLegacyAsk] = useState(false);
  const viewable = may("tokens.view");
  const list = useInfiniteQuery({ ...tokensQuery(account.id, search), enabled: viewable, placeholderData: (before) => before });
  const legacy = useQuery({ ...legacyQuery(account.id), enabled: viewable });
  const count = useQuery(accountQuery(account.id)).data?.token_count;
  const manages = may("tokens.manage");
  const filtered = Boolean(search.q || search.created || search.state);
  const tokens = list.data?.pages.flatMap((page) => page.items) ?? [];
  const pair = legacy.data?.enabled === true && !filtered;
  const title = words.label(kind.page_label);

  if (!viewable) return <Page title={title}><NoView /></Page>;
  if (!account.api_access) return <Page title={title}><AccessOff /></Page>;
  const bare = !filtered && list.isSuccess && tokens.length === 0 && !pair;
  // Counts are told once every token is loaded; a part of the truth would mislead.
  const counted = list.hasNextPage ? [] : tokens;
  const expiring = counted.filter((token) => shownState(token).state === "expiring").length;
  const old = counted.filter((token) => token.upgrade_available).length;
  return (
    <Page
      title={title === "API" ? t("tokens.title") : title}
      name={title}
      steps={[{ name: title }]}
      sum={
        <p className="sum">
          <span>{count === undefined ? t("loading") : pair ? t("tokens.countPair", { count }) : t("tokens.count", { count })}</span>
          {expiring > 0 ? <span className="e"><Icon name="clock" />{t("tokens.expiring", { count: expiring })}</span> : null}
          {old > 0 ? <span className="u"><Icon name="up" />{t("tokens.old", { count: old })}</span> : null}
        </p>
      }
      actions={
        manages ? (
          <>
            {legacy.data && !legacy.data.enabled ? <Button onPress={() => setLegacyAsk(true)}>{t("legacy.enable")}</Button> : null}
            <Link className={bare ? "btn" : "btn primary"} to="/accounts/$account/tokens/new" params={{ account: account.id }}>
              <Icon name="plus" />
              {t("create")}
            </Link>
          </>
        ) : null
      }
    >
      {bare ? (
        <Welcome onLegacy={() => setLegacyAsk(true)} />
      ) : (
        <>
          <Filters search={search} />
          {list.isPending ? <Loading rows={6} /> : null}
          {list.isError ? <Failed error={list.error} retry={() => void list.refetch()} /> : null}
          <ul className="cards" aria-label={t("tokens.title")} aria-busy={list.isFetching}>
            {tokens.map((token) => (
              <TokenCard key={token.id} token={token} manages={manages} onDeed={setDoing} />
            ))}
            {pair && legacy.data ? <LegacyCard legacy={legacy.data} /> : null}
          </ul>
          {list.isSuccess && filtered && tokens.length === 0 ? <NoMatch search={search} /> : null}
          {list.hasNextPage ? <More onMore={() => void list.fetchNextPage()} busy={list.isFetchingNextPage} /> : null}
        </>
      )}
      {doing ? <TokenDeed key={`${doing.deed}${doing.token.id}`} doing={doing} onClose={() => setDoing(null)} /> : null}
      {legacyAsk ? <EnableLegacy onClose={() => setLegacyAsk(false)} /> : null}
    </Page>
  );
}

export function NoView() {
  const { t } = useWords();
  return <Empty icon="key" title={t("noView")}>{t("noView.why")}</Empty>;
}

function AccessOff() {
  const { t } = useWords();
  const { account, may } = useAccount();
  const on = useMutation({
    mutationFn: () => data(api.POST("/api/v1/accounts/{account_id}/api-access", { params: { path: { account_id: account.id } }, body: { enabled: true } })),
    async onSuccess() {
      await renewTokens(account.id);
      tell(t("access.done"));
    },
  });
  const allowed = may("account.manage") || may("tokens.manage");
  return (
    <>
      <ErrorBanner error={on.error} />
      <Empty
        icon="power"
        title={t("access.off")}
        actions={allowed ? <Button look="primary" busy={on.isPending} onPress={() => on.mutate()}>{t("access.enable")}</Button> : null}
      >
        {allowed ? t("access.why") : t("access.ask")}
      </Empty>
    </>
  );
}

function Filters({ search }: { search: TokenSearch }) {
  const { t } = useWords();
  const navigate = useNavigate({ from: "/accounts/$account/tokens" });
  const [typed, setTyped] = useState(search.q ?? "");
  const field = useRef<HTMLInputElement>(null);
  const set = (change: TokenSearch) =>
    void navigate({
      search: (before) => Object.fromEntries(Object.entries({ ...before, ...change }).filter(([, value]) => value)) as TokenSearch,
      replace: true,
      resetScroll: false,
    });
  useEffect(() => setTyped(search.q ?? ""), [search.q]);
  useEffect(() => {
    if (typed === (search.q ?? "")) return undefined;
    const timer = window.setTimeout(() => set({ q: typed.trim() || undefined } as TokenSearch), TYPING_MS);
    return () => window.clearTimeout(timer);
  });
  useEffect(() => {
    const jump = (event: KeyboardEvent) => {
      const inField = event.target instanceof HTMLElement && event.target.closest("input, textarea, [role=dialog], [role=menu]");
      if (event.key === "/" && !inField && !event.ctrlKey && !event.metaKey) {
        event.preventDefault();
        field.current?.focus();
      }
    };
    document.addEventListener("keydown", jump);
    return () => document.removeEventListener("keydown", jump);
  }, []);
  const any = Boolean(search.q || search.created || search.state || typed);
  return (
    <div className="filters" role="search" aria-label={t("filters")}>
      <SearchField className="input-field" value={typed} onChange={setTyped}>
        <Label className="sr">{t("filter.name")}</Label>
        <span className="input">
          <Icon name="search" />
          <Input ref={field} placeholder={t("filter.name")} maxLength={100} />
        </span>
      </SearchField>
      <Choice
        inline
        label={t("filter.created")}
        value={search.created ?? "any"}
        onChange={(id) => set({ created: id === "any" ? undefined : id } as TokenSearch)}
        options={[
          { id: "any", label: t("filter.any") },
          { id: "last_7_days", label: t("filter.last7") },
          { id: "last_30_days", label: t("filter.last30") },
          { id: "more_than_30_days", label: t("filter.more30") },
        ]}
      />
      <ToggleButtonGroup
        className="seg"
        aria-label={t("filter.state")}
        selectionMode="single"
        disallowEmptySelection
        selectedKeys={[search.state ?? "all"]}
        onSelectionChange={(keys) => {
          const [state] = [...keys];
          set({ state: state === "all" ? undefined : state } as TokenSearch);
        }}
      >
        <ToggleButton id="all">{t("filter.all")}</ToggleButton>
        <ToggleButton id="enabled">{t("enabled")}</ToggleButton>
        <ToggleButton id="disabled">{t("disabled")}</ToggleButton>
      </ToggleButtonGroup>
      <span className="tail">
        <Button
          look="quiet"
          isDisabled={!any}
          onPress={() => {
            setTyped("");
            void navigate({ search: {}, replace: true });
          }}
        >
          {t("clearAll")}
        </Button>
        <span className="grow" />
        <SignatureKey />
      </span>
    </div>
  );
}

function NoMatch({ search }: { search: TokenSearch }) {
  const words = useWords();
  const { t } = words;
  const navigate = useNavigate({ from: "/accounts/$account/tokens" });
  const created = { last_7_days: "filter.last7", last_30_days: "filter.last30", more_than_30_days: "filter.more30" } as const;
  const parts = [
    search.q ? t("noMatch.name", { name: search.q }) : "",
    search.created ? `${t("filter.created")}: ${t(created[search.created])}` : "",
    search.state ? `${t("filter.state")}: ${t(search.state)}` : "",
  ].filter(Boolean);
  return (
    <Empty icon="search" title={t("noMatch")} actions={<Button onPress={() => void navigate({ search: {} })}>{t("clearAll")}</Button>}>
      {words.list(parts)}
    </Empty>
  );
}

function More({ onMore, busy }: { onMore: () => void; busy: boolean }) {
  const { t } = useWords();
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = place.current;
    if (!element || busy) return undefined;
    const watch = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && onMore(), { rootMargin: "600px" });
    watch.observe(element);
    return () => watch.disconnect();
  });
  return (
    <div ref={place} className="more-rows">
      <Button busy={busy} onPress={onMore}>{busy ? t("loading") : t("more.rows")}</Button>
    </div>
  );
}

export function StateChip({ shown }: { shown: Shown }) {
  const { t } = useWords();
  if (shown.state === "expiring") return <Chip tone="expiring" icon="clock">{t("expiresIn", { days: shown.days })}</Chip>;
  if (shown.state === "expired") return <Chip tone="danger" icon="clock">{t("expired")}</Chip>;
  if (shown.state === "disabled") return <Chip tone="disabled" icon="power">{t("disabled")}</Chip>;
  return <Chip tone="enabled" icon="dot">{t("enabled")}</Chip>;
}

const TokenCard = memo(function TokenCard({ token, manages, onDeed }: { token: TokenSummary; manages: boolean; onDeed: (doing: Doing) => void }) {
  const words = useWords();
  const { t } = words;
  const { account, kind } = useAccount();
  const place = useRef<HTMLLIElement>(null);
  const near = useSeen(place);
  const full = useQuery({ ...tokenQuery(account.id, token.id), enabled: near && token.scopes_count > 0, staleTime: 60_000 }).data;
  const shown = shownState(token);
  const scopes = new Set(full?.scopes ?? []);
  const reach = reachOf(kind, scopes);
  const text = full || token.scopes_count === 0 ? reachText(words, reach) : t("reach.count", { count: token.scopes_count });
  const params = { account: account.id, token: token.id };
  const retired = full?.retired_scopes.length ?? 0;
  return (
    <li ref={place} className="card-place">
      <article className={`card tok ${token.state === "enabled" ? "" : "disabled-card"}`} aria-label={token.name}>
        <Seal sid={token.sid} state={sealState(shown)} left={shown.left} />
        <div>
          <div className="ttl">
            <Link className="name" to="/accounts/$account/tokens/$token" params={params}>{token.name}</Link>
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
              <span className="sub">
                {token.upgrade_available ? (
                  manages ? (
                    <button className="up" type="button" onClick={() => onDeed({ deed: "upgrade", token })}>
                      <Icon name="up" />
                      {t("upgrade.available", { version: token.upgrade_available })}
                    </button>
                  ) : (
                    t("upgrade.available", { version: token.upgrade_available })
                  )
                ) : (
                  t("latest")
                )}
              </span>
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
              <span className="sub">{token.expires_at ? <>{t("expires", { date: words.date(token.expires_at) })}</> : t("expires.never")}</span>
            </dd>
          </div>
        </dl>
        <div className="more">{manages ? <CardMenu token={token} onDeed={onDeed} /> : null}</div>
        <Note token={token} onDeed={manages ? onDeed : undefined} />
      </article>
    </li>
  );
});

function Note({ token, onDeed }: { token: TokenSummary; onDeed: ((doing: Doing) => void) | undefined }) {
  const words = useWords();
  const { t } = words;
  const old = token.previous_secret;
  if (old) {
    return (
      <div className="note e">
        <Icon name="reset" />
        <span>
          {old.uses > 0 && old.last_used_from
            ? t("overlap.used", { when: words.exact(old.ends_at), count: old.uses, from: old.last_used_from })
            : t("overlap.unused", { when: words.exact(old.ends_at) })}
        </span>
      </div>
    );
  }
  if (token.secret.weak) {
    return (
      <div className="note e">
        <Icon name="warn" />
        <span>{t("weak")}</span>
        {onDeed ? <Button look="link" onPress={() => onDeed({ deed: "reset", token })}>{t("reset")}</Button> : null}
      </div>
    );
  }
  return null;
}

function CardMenu({ token, onDeed }: { token: TokenSummary; onDeed: (doing: Doing) => void }) {
  const { t } = useWords();
  return (
    <MenuTrigger>
      <Button look="quiet" small icon="dots" aria-label={t("more", { name: token.name })} />
      <Popover className="pop" placement="bottom end">
        <Menu className="menu-list" onAction={(key) => onDeed({ deed: key as Deed, token })}>
          <MenuItem id="duplicate" className="item"><Icon name="copy" />{t("duplicate")}</MenuItem>
          <MenuItem id="reset" className="item"><Icon name="reset" />{t("reset")}</MenuItem>
          <MenuItem id="upgrade" className="item" textValue={t("upgrade")} isDisabled={!token.upgrade_available}>
            <Icon name="up" />
            {t("upgrade")}
            <span className="hint">{token.upgrade_available ? `${token.api_version} → ${token.upgrade_available}` : t("latest")}</span>
          </MenuItem>
          <Separator className="rule" />
          {token.state === "disabled" ? (
            <MenuItem id="enable" className="item"><Icon name="power" />{t("enable")}</MenuItem>
          ) : (
            <MenuItem id="disable" className="item"><Icon name="power" />{t("disable")}</MenuItem>
          )}
          <MenuItem id="delete" className="item danger"><Icon name="bin" />{t("delete")}</MenuItem>
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}

function Welcome({ onLegacy }: { onLegacy: () => void }) {
  const words = useWords();
  const { t } = words;
  const { account, kind, may } = useAccount();
  const groups = kind.categories.filter((row) => !row.management);
  const operations = groups.reduce((sum, row) => sum + row.scopes.length, 0);
  return (
    <div className="card">
      <div className="empty plain">
        <svg className="seal blank big" viewBox="0 0 44 44" aria-hidden="true">
          <circle className="ring" cx="22" cy="22" r="20" />
          {Array.from({ length: 25 }, (_, place) => (
            <circle key={place} className={place % 4 === 0 && place > 4 && place < 20 && place !== 12 ? "dot on" : place === 12 ? "dot on" : "dot"} cx={14 + (place % 5) * 4} cy={14 + Math.floor(place / 5) * 4} r="1.3" />
          ))}
        </svg>
        <h2>{t("welcome")}</h2>
        <p>{t("welcome.why")}</p>
        {may("tokens.manage") ? (
          <div className="actions">
            <Link className="btn primary" to="/accounts/$account/tokens/new" params={{ account: account.id }}>
              <Icon name="plus" />
              {t("create")}
            </Link>
            <Button onPress={onLegacy}>{t("legacy.enable")}</Button>
          </div>
        ) : (
          <Banner>{t("manage.ask")}</Banner>
        )}
        <p className="help">{t("welcome.legacy")}</p>
      </div>
      <ol className="how">
        <li><Icon name="page" /><b>{t("how.name")}</b>{t("how.name.text", { version: kind.latest_version })}</li>
        <li><Icon name="mail" /><b>{t("how.contact")}</b>{t("how.contact.text")}</li>
        <li><Icon name="bars" /><b>{t("how.scopes")}</b>{t("how.scopes.text", { operations, categories: groups.length, preset: words.label(kind.presets[0]?.label) })}</li>
        <li><Icon name="key" /><b>{t("how.copy")}</b>{t("how.copy.text")}</li>
      </ol>
    </div>
  );
}
