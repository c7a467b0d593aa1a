// The addresses of the console. Operator pages and the wizard come in chunks of their own.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { ApiError, type Session } from "./api/client";
import { type AuditSearch, type DeliverySearch, type TokenSearch, accountQuery, catalogQuery, legacyQuery, queryClient, sessionQuery, tokensQuery } from "./api/queries";
import { CHANNELS, DELIVERY_STATES, EVENTS } from "./parts/events";
import { lastAccount } from "./parts/current";
import { AccountFrame, Broken, Frame, Missing, Root } from "./parts/frame";
import { AcceptInvitation, Bootstrap, SignIn } from "./pages/sign-in";
import { Tokens } from "./pages/tokens";

const one = <T extends string>(value: unknown, of: readonly T[]): T | undefined => of.find((candidate) => candidate === value);
// Each page names all it knows, with `undefined` for what it does not take: what it leaves out would come from the address
// as it stands there.
const text = (value: unknown) => (typeof value === "string" && value !== "" ? value.slice(0, 100) : undefined);

const moment = (value: unknown) => {
  const found = text(value);
  return found && !Number.isNaN(Date.parse(found)) ? new Date(found).toISOString() : undefined;
};

export const TABS = ["overview", "credentials", "scopes", "activity"] as const;
export type Tab = (typeof TABS)[number];

const root = createRootRoute({ component: Root, notFoundComponent: Missing, errorComponent: Broken });

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  component: SignIn,
  validateSearch: (search): { to?: string } => ({ to: text(search["to"]) }),
});
const bootstrap = createRoute({ getParentRoute: () => root, path: "/bootstrap", component: Bootstrap });
const confirm = createRoute({ getParentRoute: () => root, path: "/confirm", component: lazyRouteComponent(() => import("./pages/letters"), "ConfirmAddress") });
const unsubscribe = createRoute({ getParentRoute: () => root, path: "/unsubscribe", component: lazyRouteComponent(() => import("./pages/letters"), "Unsubscribe") });
const invitation = createRoute({ getParentRoute: () => root, path: "/invitation", component: AcceptInvitation });

/** What the token page reads, asked for beside the catalog instead of after it. */
function prefetch(session: Session, { pathname, searchStr }: { pathname: string; searchStr: string }) {
  const id = /^\/accounts\/([^/]+)\/tokens$/.exec(pathname)?.[1];
  const membership = session.memberships.find(({ account }) => account.id === id);
  if (!id || searchStr || !membership?.account.api_access || !membership.permissions.includes("tokens.view")) return;
  void queryClient.prefetchQuery(accountQuery(id));
  void queryClient.prefetchQuery(legacyQuery(id));
  void queryClient.prefetchInfiniteQuery(tokensQuery(id, {}));
}

const frame = createRoute({
  getParentRoute: () => root,
  id: "frame",
  component: Frame,
  async beforeLoad({ location }) {
    try {
      const session = await queryClient.ensureQueryData(sessionQuery);
      prefetch(session, location);
      await queryClient.ensureQueryData(catalogQuery);
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) {
        throw redirect({ to: "/sign-in", search: location.pathname === "/" ? {} : { to: location.href } });
      }
      throw error;
    }
  },
});
const home = createRoute({
  getParentRoute: () => frame,
  path: "/",
  component: Missing,
  async beforeLoad() {
    const session = await queryClient.ensureQueryData(sessionQuery);
    const last = lastAccount();
    const found = session.memberships.find(({ account }) => account.id === last) ?? session.memberships[0];
    if (found) throw redirect({ to: "/accounts/$account/tokens", params: { account: found.account.id } });
    if (session.operator) throw redirect({ to: "/operator/accounts" });
    throw redirect({ to: "/profile" });
  },
});
const account = createRoute({ getParentRoute: () => frame, path: "/accounts/$account", component: AccountFrame });
const tokens = createRoute({
  getParentRoute: () => account,
  path: "tokens",
  component: Tokens,
  validateSearch: (search): TokenSearch =>
    ({
      q: text(search["q"]),
      created: one(search["created"], ["last_7_days", "last_30_days", "more_than_30_days"] as const),
      state: one(search["state"], ["enabled", "disabled"] as const),
      care: one(search["care"], ["expired", "expiring", "unheard", "old"] as const),
    }),
});
const create = createRoute({
  getParentRoute: () => account,
  path: "tokens/new",
  component: lazyRouteComponent(() => import("./pages/create"), "Create"),
  validateSearch: (search): { from?: string } => ({ from: text(search["from"]) }),
});
const tab = (search: Record<string, unknown>): { tab?: Tab } => ({ tab: search["tab"] === TABS[0] ? undefined : one(search["tab"], TABS) });
const token = createRoute({
  getParentRoute: () => account,
  path: "tokens/$token",
  component: lazyRouteComponent(() => import("./pages/token"), "TokenPage"),
  validateSearch: tab,
});
const legacy = createRoute({
  getParentRoute: () => account,
  path: "legacy",
  component: lazyRouteComponent(() => import("./pages/legacy"), "LegacyPage"),
  validateSearch: tab,
});
const members = createRoute({
  getParentRoute: () => account,
  path: "members",
  component: lazyRouteComponent(() => import("./pages/members"), "Members"),
});
const audit = (search: Record<string, unknown>): AuditSearch =>
  ({ action: text(search["action"]), subject: text(search["subject"]), since: moment(search["since"]) });
const activity = createRoute({
  getParentRoute: () => account,
  path: "activity",
  component: lazyRouteComponent(() => import("./pages/activity"), "AccountActivity"),
  validateSearch: audit,
});
const deliveries = (search: Record<string, unknown>): DeliverySearch =>
  ({ state: one(search["state"], DELIVERY_STATES), channel: one(search["channel"], CHANNELS), event: one(search["event"], EVENTS) });
const messages = createRoute({
  getParentRoute: () => account,
  path: "messages",
  component: lazyRouteComponent(() => import("./pages/messages"), "Messages"),
  validateSearch: deliveries,
});
const webhooks = createRoute({
  getParentRoute: () => account,
  path: "webhooks",
  component: lazyRouteComponent(() => import("./pages/webhooks"), "AccountWebhooks"),
});
const settings = createRoute({
  getParentRoute: () => account,
  path: "settings",
  component: lazyRouteComponent(() => import("./pages/settings"), "Settings"),
});
const profile = createRoute({
  getParentRoute: () => frame,
  path: "/profile",
  component: lazyRouteComponent(() => import("./pages/profile"), "Profile"),
});
const operator = createRoute({
  getParentRoute: () => frame,
  path: "/operator",
  component: lazyRouteComponent(() => import("./operator/frame"), "OperatorFrame"),
});
const query = (search: Record<string, unknown>): { q?: string } => ({ q: text(search["q"]) });
const operatorPages = [
  createRoute({
    getParentRoute: () => operator,
    path: "accounts",
    component: lazyRouteComponent(() => import("./operator/accounts"), "Accounts"),
    validateSearch: query,
  }),
  createRoute({
    getParentRoute: () => operator,
    path: "people",
    component: lazyRouteComponent(() => import("./operator/people"), "People"),
    validateSearch: query,
  }),
  createRoute({
    getParentRoute: () => operator,
    path: "catalog",
    component: lazyRouteComponent(() => import("./operator/catalog"), "Catalog"),
  }),
  createRoute({
    getParentRoute: () => operator,
    path: "audit",
    component: lazyRouteComponent(() => import("./pages/activity"), "PlatformActivity"),
    validateSearch: audit,
  }),
  createRoute({
    getParentRoute: () => operator,
    path: "versions",
    component: lazyRouteComponent(() => import("./operator/versions"), "Versions"),
    validateSearch: (search): { kind?: string; number?: number } =>
      ({ kind: text(search["kind"]), number: typeof search["number"] === "number" && Number.isInteger(search["number"]) ? search["number"] : undefined }),
  }),
  createRoute({
    getParentRoute: () => operator,
    path: "announcements",
    component: lazyRouteComponent(() => import("./operator/announcements"), "Announcements"),
  }),
  createRoute({
    getParentRoute: () => operator,
    path: "announcements/$announcement",
    component: lazyRouteComponent(() => import("./operator/announcement"), "AnnouncementPage"),
  }),
  createRoute({
    getParentRoute: () => operator,
    path: "outbox",
    component: lazyRouteComponent(() => import("./operator/outbox"), "Outbox"),
    validateSearch: deliveries,
  }),
  createRoute({
    getParentRoute: () => operator,
    path: "webhooks",
    component: lazyRouteComponent(() => import("./operator/webhooks"), "PlatformWebhooks"),
  }),
  createRoute({
    getParentRoute: () => operator,
    path: "keys",
    component: lazyRouteComponent(() => import("./operator/keys"), "KeysPage"),
  }),
  createRoute({
    getParentRoute: () => operator,
    path: "gateways",
    component: lazyRouteComponent(() => import("./operator/gateways"), "Gateways"),
  }),
  createRoute({
    getParentRoute: () => operator,
    path: "platform-credentials",
    component: lazyRouteComponent(() => import("./operator/credentials"), "PlatformCredentials"),
  }),
] as const;

export const router = createRouter({
  routeTree: root.addChildren([
    signIn,
    bootstrap,
    invitation,
    confirm,
    unsubscribe,
    frame.addChildren([
      home,
      account.addChildren([tokens, create, token, legacy, members, activity, messages, webhooks, settings]),
      profile,
      operator.addChildren([...operatorPages]),
    ]),
  ]),
  defaultPreload: "intent",
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
