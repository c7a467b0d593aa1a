// The addresses of the console. Operator pages and the wizard come in chunks of their own.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { ApiError } from "./api/client";
import { type AuditSearch, type TokenSearch, catalogQuery, queryClient, sessionQuery } from "./api/queries";
import { lastAccount } from "./parts/current";
import { AccountFrame, Broken, Frame, Missing, Root } from "./parts/frame";
import { AcceptInvitation, Bootstrap, SignIn } from "./pages/sign-in";
import { Tokens } from "./pages/tokens";

const one = <T extends string>(value: unknown, of: readonly T[]): T | undefined => of.find((candidate) => candidate === value);
const text = (value: unknown) => (typeof value === "string" && value !== "" ? value.slice(0, 200) : undefined);
/** Leaves out what is not set, so that addresses stay short. */
const set = <T extends object>(values: T): T =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;

export const TABS = ["overview", "credentials", "scopes", "activity"] as const;
export type Tab = (typeof TABS)[number];

const root = createRootRoute({ component: Root, notFoundComponent: Missing, errorComponent: Broken });

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  component: SignIn,
  validateSearch: (search): { to?: string } => set({ to: text(search["to"]) }),
});
const bootstrap = createRoute({ getParentRoute: () => root, path: "/bootstrap", component: Bootstrap });
const invitation = createRoute({ getParentRoute: () => root, path: "/invitation", component: AcceptInvitation });

const frame = createRoute({
  getParentRoute: () => root,
  id: "frame",
  component: Frame,
  async beforeLoad({ location }) {
    try {
      await queryClient.ensureQueryData(sessionQuery);
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
    set({
      q: text(search["q"]),
      created: one(search["created"], ["last_7_days", "last_30_days", "more_than_30_days"] as const),
      state: one(search["state"], ["enabled", "disabled"] as const),
    }),
});
const create = createRoute({
  getParentRoute: () => account,
  path: "tokens/new",
  component: lazyRouteComponent(() => import("./pages/create"), "Create"),
});
const tab = (search: Record<string, unknown>): { tab?: Tab } => set({ tab: one(search["tab"], TABS) });
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
  set({ action: text(search["action"]), subject: text(search["subject"]), since: text(search["since"]) });
const activity = createRoute({
  getParentRoute: () => account,
  path: "activity",
  component: lazyRouteComponent(() => import("./pages/activity"), "AccountActivity"),
  validateSearch: audit,
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
const query = (search: Record<string, unknown>): { q?: string } => set({ q: text(search["q"]) });
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
    path: "gateways",
    component: lazyRouteComponent(() => import("./operator/credentials"), "Gateways"),
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
    frame.addChildren([
      home,
      account.addChildren([tokens, create, token, legacy, members, activity]),
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
