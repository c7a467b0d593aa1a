// The token list: is anything wrong, and what can each token do?
import { useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { useEffect, useMemo, useState } from "react";
import { type TokenSummary, api, data } from "../api/client";
import { type TokenSearch, legacyQuery, renewTokens, tokensQuery } from "../api/queries";
import { useWords } from "../i18n";
import { Button } from "../parts/controls";
import { useAccount } from "../parts/current";
import { Page } from "../parts/frame";
import { Icon, type IconName } from "../parts/icon";
import { ErrorBanner, rolesWith } from "../parts/problem";
import { tell } from "../parts/receipt";
import { Empty, Failed, Loading, SkeletonCard } from "../parts/states";
import { shownState } from "../parts/token";
import { nobodyHears } from "../parts/told";
import { useWindow } from "../parts/window";
import { type Doing, TokenDeed } from "./deeds";
import { EnableLegacy, LegacyCard } from "./legacy-card";
import { CardMenu, type MenuAsk, TokenCard } from "./token-card";
import { CARE, Filters, NoMatch, isFiltered } from "./token-filters";
import { Welcome } from "./welcome";
import "./tokens.css";

const CARD_PX = 84;
const GAP_PX = 8;
const REST_MS = 100;

const isOld = (token: TokenSummary) => Boolean(token.upgrade_available);
/** What the server does not filter by, or not together with a state. */
const needs = {
  expired: (token: TokenSummary) => shownState(token).state === "expired",
  expiring: (token: TokenSummary) => shownState(token).state === "expiring",
  unheard: nobodyHears,
  old: isOld,
};

/** The tokens that fit, and how many there are before all of them are loaded. */
function useTokens(search: TokenSearch, enabled: boolean) {
  const { account } = useAccount();
  const care = search.care;
  const list = useInfiniteQuery({ ...tokensQuery(account.id, search), enabled, placeholderData: (before) => before });
  const { hasNextPage, isFetchingNextPage, isSuccess, fetchNextPage } = list;
  // The rest comes once the first cards stand and can be used.
  useEffect(() => {
    if (!enabled || !isSuccess || !hasNextPage || isFetchingNextPage) return undefined;
    const timer = window.setTimeout(() => void fetchNextPage(), REST_MS);
    return () => window.clearTimeout(timer);
  }, [enabled, isSuccess, hasNextPage, isFetchingNextPage, fetchNextPage]);
  const loaded = useMemo(() => list.data?.pages.flatMap((page) => page.items) ?? [], [list.data]);
  const tokens = useMemo(() => (care ? loaded.filter(needs[care]) : loaded), [care, loaded]);
  return { list, loaded, tokens, totals: list.data?.pages[0]?.totals, more: Boolean(hasNextPage) };
}

export function Tokens() {
  const words = useWords();
  const { t } = words;
  const { account, kind, may } = useAccount();
  const search = useSearch({ from: "/frame/accounts/$account/tokens" });
  const [doing, setDoing] = useState<Doing | null>(null);
  const [legacyAsk, setLegacyAsk] = useState(false);
  const viewable = may("tokens.view") && account.api_access;
  const { list, loaded, tokens, totals, more } = useTokens(search, viewable);
  const legacy = useQuery({ ...legacyQuery(account.id), enabled: viewable });
  const count = totals?.all;
  const manages = may("tokens.manage");
  const filtered = isFiltered(search);
  const pair = legacy.data?.enabled === true && !filtered;
  const title = words.label(kind.page_label);

  if (!may("tokens.view")) return <Page title={title}><NoView /></Page>;
  if (!account.api_access) return <Page title={title}><AccessOff /></Page>;
  const offersLegacy = manages && legacy.data && !legacy.data.enabled && kind.legacy_cut_over;
  const bare = !filtered && list.isSuccess && tokens.length === 0 && legacy.isSuccess && !pair;
  // What the server does not count is counted once every token is loaded; a part of the truth would mislead.
  const counted = filtered || more ? [] : loaded;
  return (
    <Page
      title={title === "API" ? t("tokens.title") : title}
      name={title}
      steps={[{ name: title }]}
      sum={
        <p className="sum">
          <span>{count === undefined ? t("loading") : pair ? t("tokens.countPair", { count }) : t("tokens.count", { count })}</span>
          <Care of="expired" icon="clock" count={totals?.expired ?? 0} />
          <Care of="expiring" icon="clock" count={totals?.expiring ?? 0} />
          <Care of="unheard" icon="mail" count={counted.filter(nobodyHears).length} />
          <Care of="old" icon="up" count={counted.filter(isOld).length} />
        </p>
      }
      actions={
        manages && !bare ? (
          <>
            {offersLegacy ? <Button onPress={() => setLegacyAsk(true)}>{t("legacy.enable")}</Button> : null}
            <Link className="btn primary" to="/accounts/$account/tokens/new" params={{ account: account.id }}>
              <Icon name="plus" />
              {t("create")}
            </Link>
          </>
        ) : null
      }
    >
      {bare ? (
        <Welcome onLegacy={offersLegacy ? () => setLegacyAsk(true) : undefined} />
      ) : (
        <>
          <Filters search={search} />
          {list.isPending ? <Loading rows={6} /> : null}
          {list.isError ? <Failed error={list.error} retry={() => void list.refetch()} /> : null}
          {pair && legacy.data ? <div className="cards first"><LegacyCard legacy={legacy.data} /></div> : null}
          {list.isSuccess ? <TokenList tokens={tokens} total={filtered ? undefined : count} more={more} manages={manages} onDeed={setDoing} /> : null}
          {list.isSuccess && filtered && tokens.length === 0 && !more ? <NoMatch search={search} /> : null}
        </>
      )}
      {doing ? <TokenDeed key={`${doing.deed}${doing.token.id}`} doing={doing} onClose={() => setDoing(null)} /> : null}
      {legacyAsk ? <EnableLegacy onClose={() => setLegacyAsk(false)} /> : null}
    </Page>
  );
}

/** How many tokens need care; pressing it shows them. */
function Care({ of, icon, count }: { of: keyof typeof CARE; icon: IconName; count: number }) {
  const { t } = useWords();
  if (count === 0) return null;
  return (
    <Link className={`care ${of}`} from="/accounts/$account/tokens" to="/accounts/$account/tokens" search={{ care: of }}>
      <Icon name={icon} />
      {t(`tokens.${of}`, { count })}
    </Link>
  );
}

/** The cards near the view. What is not loaded yet holds its place, so that the scroll bar tells the truth. */
function TokenList({ tokens, total, more, manages, onDeed }: { tokens: TokenSummary[]; total: number | undefined; more: boolean; manages: boolean; onDeed: (doing: Doing) => void }) {
  const { t } = useWords();
  const size = more ? Math.max(tokens.length + 1, total ?? 0) : tokens.length;
  const keys = useMemo(() => Array.from({ length: size }, (_, index) => tokens[index]?.id ?? `row-${index}`), [tokens, size]);
  const { list, pieces, measure, onFocus, onBlur } = useWindow(keys, CARD_PX, GAP_PX);
  const [menu, setMenu] = useState<MenuAsk | null>(null);
  if (size === 0) return null;
  return (
    <>
    <ul ref={list} className="cards" aria-label={t("tokens.title")} aria-busy={more} onBlur={onBlur}>
      {pieces.map((piece) => {
        if (piece.kind === "gap") return <li key={piece.key} className="gap" role="presentation" style={{ height: piece.height }} />;
        const key = keys[piece.index] ?? "";
        const token = tokens[piece.index];
        return (
          <li key={key} ref={measure(key)} aria-setsize={size} aria-posinset={piece.index + 1} onFocus={() => onFocus(piece.index)}>
            {token ? <TokenCard token={token} manages={manages} onDeed={onDeed} onMenu={setMenu} menuOpen={menu?.token.id === token.id} /> : <SkeletonCard />}
          </li>
        );
      })}
    </ul>
    {menu ? <CardMenu ask={menu} onClose={() => setMenu(null)} onDeed={onDeed} /> : null}
    </>
  );
}

export function NoView() {
  const words = useWords();
  const current = useAccount();
  return <Empty icon="key" title={words.t("noView")}>{words.t("noView.why", { who: rolesWith(words, current, ["tokens.view"]) })}</Empty>;
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
