// What surrounds every page: the bar with account switcher, language and user menu, the agency menu on the left, the
// notice of a lost connection, and what shows when a page fails.
import { useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { Link, Outlet, useLocation, useNavigate, useParams, useRouter } from "@tanstack/react-router";
import { Fragment, type ReactNode, Suspense, useEffect, useState } from "react";
import { Button as AriaButton, Header, Menu, MenuItem, MenuSection, MenuTrigger, Popover, RouterProvider, Separator } from "react-aria-components";
import { api, onSignedOut } from "../api/client";
import { accountQuery, catalogQuery, queryClient } from "../api/queries";
import { type Key, useWords } from "../i18n";
import { Button, Chip } from "./controls";
import { type Current, CurrentAccount, lastAccount, leftMenu, permits, rememberAccount, useAccount, useSession } from "./current";
import { Icon, type IconName, Mark } from "./icon";
import { OPERATOR_PAGES } from "./operator-pages";
import { Receipt } from "./receipt";
import { Empty, Failed, Loading } from "./states";
import { type Theme, applyTheme, storedTheme } from "./theme";
import "./frame.css";

export function Root() {
  const router = useRouter();
  const { t } = useWords();
  return (
    <RouterProvider navigate={(path) => void router.navigate({ href: path })} useHref={(path) => path}>
      <div className="app">
        <a className="skip" href="#main">
          {t("skip")}
        </a>
        <Outlet />
      </div>
    </RouterProvider>
  );
}

export function Broken({ error, reset }: { error: unknown; reset?: () => void }) {
  const { t } = useWords();
  return (
    <main className="page" id="main">
      <div className="head">
        <h1>{t("broken")}</h1>
      </div>
      <Failed error={error} retry={() => (reset ? (reset(), window.location.reload()) : window.location.reload())} />
    </main>
  );
}

export function Missing() {
  const { t } = useWords();
  return (
    <main className="page" id="main">
      <Empty whole title={t("missing")} icon="search" actions={<Link to="/" className="btn">{t("missing.home")}</Link>}>
        {t("missing.why")}
      </Empty>
    </main>
  );
}

function useOnline(): boolean {
  const [online, setOnline] = useState(navigator.onLine);
  useEffect(() => {
    const note = () => setOnline(navigator.onLine);
    window.addEventListener("online", note);
    window.addEventListener("offline", note);
    return () => {
      window.removeEventListener("online", note);
      window.removeEventListener("offline", note);
    };
  }, []);
  return online;
}

export function Frame() {
  const { t } = useWords();
  const online = useOnline();
  const router = useRouter();
  useEffect(
    () =>
      onSignedOut(() => {
        const to = window.location.pathname + window.location.search;
        queryClient.removeQueries({ queryKey: ["session"] });
        void router.navigate({ to: "/sign-in", search: { to } });
      }),
    [router],
  );
  return (
    <>
      <TopBar />
      {online ? null : (
        <p className="offline" role="alert">
          <Icon name="warn" />
          {t("offline")}
        </p>
      )}
      <Suspense fallback={<div className="page"><Loading /></div>}>
        <Outlet />
      </Suspense>
      <Receipt />
    </>
  );
}

function initials(name: string): string {
  const parts = name.trim().split(/\s+/);
  const letters = parts.length > 1 ? [parts[0], parts.at(-1)] : [parts[0]];
  return letters.map((part) => Array.from(part ?? "")[0] ?? "").join("").toUpperCase();
}

async function signOut(): Promise<void> {
  await api.DELETE("/api/v1/session").catch(() => undefined);
  queryClient.clear();
  window.location.assign("/sign-in");
}

function TopBar() {
  const words = useWords();
  const { t } = words;
  const session = useSession();
  const navigate = useNavigate();
  const params = useParams({ strict: false });
  const path = useLocation({ select: (location) => location.pathname });
  // Pages about the person keep the account they came from.
  const last = path.startsWith("/operator") ? undefined : (session.memberships.find((row) => row.account.id === lastAccount()) ?? session.memberships[0]);
  const id = params.account ?? last?.account.id;
  const foreign = useQuery({ ...accountQuery(id ?? ""), enabled: Boolean(id) && !session.memberships.some((row) => row.account.id === id) });
  const catalog = useSuspenseQuery(catalogQuery).data;
  const membership = session.memberships.find(({ account }) => account.id === id);
  const account = membership?.account ?? (id ? foreign.data : undefined);
  const kind = catalog.kinds.find((row) => row.id === account?.kind);
  const may = permits(membership?.permissions);
  const operating = path.startsWith("/operator");
  const pages = account && kind ? accountPages(account.id, may).map((page) => ({ ...page, text: page.name ? t(page.name) : words.label(kind.page_label) })) : [];
  // What stands at the left where there is room.
  const leftPages = operating ? OPERATOR_PAGES.map((page) => ({ ...page, text: t(page.name) })) : kind && leftMenu(kind) ? pages : [];
  const go = (key: string) => {
    if (key === "sign-out") void signOut();
    else void navigate({ href: key });
  };
  return (
    <header className="top">
      {leftPages.length > 0 ? (
        <MenuTrigger>
          <span className="menu-btn">
            <Button look="quiet" icon="menu" aria-label={t("menu")} />
          </span>
          <Popover className="pop" placement="bottom start">
            <Menu className="menu-list" onAction={(key) => go(String(key))}>
              {leftPages.map((page) => (
                <MenuItem key={page.to} id={page.to} textValue={page.text} className="item">
                  <Icon name={page.icon} />
                  {page.text}
                </MenuItem>
              ))}
            </Menu>
          </Popover>
        </MenuTrigger>
      ) : null}
      <Link className="brandmark" to="/" aria-label="Countersign">
        <Mark />
        <span>{t("brand")}</span>
      </Link>
      <i className="sep" />
      {session.memberships.length > 0 || session.operator ? (
        <MenuTrigger>
          <AriaButton className="btn quiet acct" aria-label={t("switch", { name: [account?.name ?? (session.operator ? t("operator") : t("switch.none")), words.label(kind?.label)].join(" ").trim() })}>
            <span className="nm">{account?.name ?? (session.operator ? t("operator") : t("switch.none"))}</span>{" "}
            {kind ? (
              <span className="hide-s">
                <Chip tone="line">{words.label(kind.label)}</Chip>
              </span>
            ) : null}
            <Icon name="down" />
          </AriaButton>
          <Popover className="pop" placement="bottom start">
            <Menu className="menu-list" onAction={(key) => go(String(key))}>
              <MenuSection>
                <Header className="menu-head">{t("switch.accounts")}</Header>
                {session.memberships.map((row) => (
                  <MenuItem key={row.account.id} id={`/accounts/${row.account.id}/tokens`} className="item" textValue={row.account.name}>
                    <Icon name={row.account.id === account?.id ? "check" : "people"} />
                    <span className="grow">{row.account.name}</span>
                    <span className="hint">{words.label(catalog.kinds.find((found) => found.id === row.account.kind)?.label)}</span>
                  </MenuItem>
                ))}
              </MenuSection>
              {session.operator ? <Separator className="rule" /> : null}
              {session.operator ? (
                <MenuItem id="/operator/accounts" textValue={t("operator")} className="item">
                  <Icon name="layers" />
                  {t("operator")}
                </MenuItem>
              ) : null}
            </Menu>
          </Popover>
        </MenuTrigger>
      ) : null}
      <span className="grow" />
      <MenuTrigger>
        <Button look="quiet" icon="globe" aria-label={t("language.label", { language: t(words.language === "en" ? "language.en" : "language.zh") })} />
        <Popover className="pop" placement="bottom end">
          <Menu
            className="menu-list"
            selectionMode="single"
            disallowEmptySelection
            selectedKeys={[words.language]}
            onSelectionChange={(keys) => {
              const [next] = [...keys];
              if (next === "en" || next === "zh-CN") {
                words.setLanguage(next);
                void api.PATCH("/api/v1/profile", { body: { language: next } }).then(() => queryClient.invalidateQueries({ queryKey: ["session"] }));
              }
            }}
          >
            <MenuItem id="en" className="item">{t("language.en")}</MenuItem>
            <MenuItem id="zh-CN" className="item">{t("language.zh")}</MenuItem>
          </Menu>
        </Popover>
      </MenuTrigger>
      <MenuTrigger>
        <AriaButton className="btn quiet icon" aria-label={t("user", { name: session.person.name })}>
          <span className="avatar" data-initials={initials(session.person.name)} />
        </AriaButton>
        <Popover className="pop" placement="bottom end">
          <div className="menu-who">
            <strong>{session.person.name}</strong>
            <span>{session.person.email}</span>
          </div>
          <Menu className="menu-list" onAction={(key) => go(String(key))} aria-label={t("user", { name: session.person.name })}>
            <MenuItem id="/profile" textValue={t("profile")} className="item">
              <Icon name="person" />
              {t("profile")}
            </MenuItem>
            {account && kind && !leftMenu(kind) ? (
              <MenuSection>
                <Header className="menu-head">{settingsPath(words, kind)}</Header>
                {pages.map((page) => (
                  <MenuItem key={page.to} id={page.to} textValue={page.text} className="item">
                    <Icon name={page.icon} />
                    {page.text}
                  </MenuItem>
                ))}
              </MenuSection>
            ) : null}
            <Separator className="rule" />
            <MenuItem id="sign-out" textValue={t("signOut")} className="item">
              <Icon name="door" />
              {t("signOut")}
            </MenuItem>
          </Menu>
          <ThemeChoice />
        </Popover>
      </MenuTrigger>
    </header>
  );
}

export function ThemeChoice() {
  const { t } = useWords();
  const [theme, setTheme] = useState(storedTheme);
  const choose = (next: Theme) => {
    applyTheme(next);
    setTheme(next);
  };
  return (
    <div className="seg wide" role="group" aria-label={t("theme")}>
      {(["system", "light", "dark"] as const).map((name) => (
        <AriaButton key={name} aria-pressed={theme === name} onPress={() => choose(name)} data-selected={theme === name ? "" : undefined}>
          {t(`theme.${name}`)}
        </AriaButton>
      ))}
    </div>
  );
}

type PageLink = { to: string; icon: IconName; name?: Key };
function accountPages(id: string, may: Current["may"]): PageLink[] {
  const pages: PageLink[] = [];
  if (may("tokens.view")) pages.push({ to: `/accounts/${id}/tokens`, icon: "key" });
  if (may("members.manage") || may("tokens.view")) pages.push({ to: `/accounts/${id}/members`, icon: "people", name: "members" });
  if (may("audit.view")) {
    pages.push({ to: `/accounts/${id}/activity`, icon: "pulse", name: "activity" });
    pages.push({ to: `/accounts/${id}/messages`, icon: "send", name: "messages" });
  }
  if (may("account.manage")) {
    pages.push({ to: `/accounts/${id}/webhooks`, icon: "link", name: "webhooks" });
    pages.push({ to: `/accounts/${id}/settings`, icon: "gear", name: "settings" });
  }
  return pages;
}

const settingsPath = (words: ReturnType<typeof useWords>, kind: Current["kind"]) => kind.menu_path.slice(1).map(words.label).join(" › ");

export function AccountFrame() {
  const words = useWords();
  const { t } = words;
  const { account: id } = useParams({ from: "/frame/accounts/$account" });
  const session = useSession();
  const catalog = useSuspenseQuery(catalogQuery).data;
  const membership = session.memberships.find(({ account }) => account.id === id);
  const fresh = useQuery(accountQuery(id));
  const path = useLocation({ select: (location) => location.pathname });
  useEffect(() => {
    if (membership) rememberAccount(id);
  }, [id, membership]);
  const account = fresh.data ?? membership?.account;
  if (!account) {
    return (
      <main className="page" id="main">
        {fresh.isError ? <Failed error={fresh.error} retry={() => void fresh.refetch()} /> : <Loading />}
      </main>
    );
  }
  const kind = catalog.kinds.find((row) => row.id === account.kind);
  if (!kind) return <Missing />;
  const may = permits(membership?.permissions);
  const current: Current = { account, kind, may, operator: !membership };
  const pages = accountPages(id, may);
  return (
    <CurrentAccount value={current}>
      {leftMenu(kind) ? (
        <div className="shell">
          <nav className="left" aria-label={t("menu")}>
            <h3>{settingsPath(words, kind)}</h3>
            {pages.map((page) => (
              <Link key={page.to} to={page.to} aria-current={path.startsWith(page.to) ? "page" : undefined}>
                <Icon name={page.icon} />
                {page.name ? t(page.name) : words.label(kind.page_label)}
              </Link>
            ))}
            <h3>{t("user.section")}</h3>
            <Link to="/profile">
              <Icon name="person" />
              {t("profile")}
            </Link>
          </nav>
          <div className="column">
            <Outlet />
          </div>
        </div>
      ) : (
        <Outlet />
      )}
    </CurrentAccount>
  );
}

/** A page of an account: where it is, its title, what can be done there. */
export function Page(props: { title: ReactNode; name?: string; sum?: ReactNode; actions?: ReactNode; steps?: { name: string; to?: string }[]; children: ReactNode; seal?: ReactNode }) {
  const words = useWords();
  const { account, kind, operator } = useAccount();
  const place = kind.menu_path.slice(1).map(words.label);
  const here = props.name ?? (typeof props.title === "string" ? props.title : "");
  useEffect(() => {
    document.title = `${here} · ${account.name} · Countersign`;
  }, [here, account.name]);
  const steps: { name: string; to?: string }[] = [...place.map((name) => ({ name })), ...(props.steps ?? [])];
  return (
    <main className="page" id="main" tabIndex={-1}>
      <nav className="crumbs" aria-label={words.t("crumbs")}>
        {steps.map((step, index) => (
          <Fragment key={index}>
            {index > 0 ? <Icon name="right" /> : null}
            {step.to ? <Link to={step.to}>{step.name}</Link> : <span aria-current={index === steps.length - 1 ? "page" : undefined}>{step.name}</span>}
          </Fragment>
        ))}
      </nav>
      {operator ? <p className="acting">{words.t("operator.acting", { name: account.name })}</p> : null}
      <div className="head">
        <div className={props.seal ? "who" : ""}>
          {props.seal}
          <div>
            {typeof props.title === "string" ? <h1>{props.title}</h1> : props.title}
            {props.sum}
          </div>
        </div>
        {props.actions ? <div className="actions">{props.actions}</div> : null}
      </div>
      {props.children}
    </main>
  );
}
