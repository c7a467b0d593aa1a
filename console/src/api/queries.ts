// What the pages read, each under one key, so that a change renews exactly what it touched.
import { QueryClient, infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { ApiError, api, data } from "./client";

export const TOKENS_PER_PAGE = 100;
const LIST_PAGE = 100;

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      // A refusal stays a refusal; only an outage is worth asking again.
      retry: (count, error) => count < 2 && error instanceof ApiError && (error.status === 503 || error.status === 0),
      retryDelay: 800,
      networkMode: "always",
    },
    mutations: { networkMode: "always" },
  },
});

export type TokenSearch = {
  q?: string;
  created?: "last_7_days" | "last_30_days" | "more_than_30_days";
  state?: "enabled" | "disabled";
};
export type AuditSearch = { action?: string; subject?: string; since?: string };

const account = (account_id: string) => ({ path: { account_id } });

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: () => data(api.GET("/api/v1/session")),
  staleTime: 60_000,
  retry: false,
});
export const bootstrapQuery = queryOptions({
  queryKey: ["bootstrap"],
  queryFn: () => data(api.GET("/api/v1/bootstrap")),
});
export const catalogQuery = queryOptions({
  queryKey: ["catalog"],
  queryFn: () => data(api.GET("/api/v1/catalog")),
  staleTime: 300_000,
});
export const accountQuery = (id: string) =>
  queryOptions({
    queryKey: ["account", id],
    queryFn: () => data(api.GET("/api/v1/accounts/{account_id}", { params: account(id) })),
  });
export const tokensQuery = (id: string, search: TokenSearch) =>
  infiniteQueryOptions({
    queryKey: ["tokens", id, search],
    queryFn: ({ pageParam }) =>
      data(
        api.GET("/api/v1/accounts/{account_id}/tokens", {
          params: {
            ...account(id),
            query: {
              limit: TOKENS_PER_PAGE,
              ...(search.q ? { name: search.q } : {}),
              ...(search.created ? { created: search.created } : {}),
              ...(search.state ? { state: search.state } : {}),
              ...(pageParam ? { after: pageParam } : {}),
            },
          },
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
  });
export const tokenQuery = (id: string, token_id: string) =>
  queryOptions({
    queryKey: ["token", id, token_id],
    queryFn: () =>
      data(api.GET("/api/v1/accounts/{account_id}/tokens/{token_id}", { params: { path: { account_id: id, token_id } } })),
  });
export const legacyQuery = (id: string) =>
  queryOptions({
    queryKey: ["legacy", id],
    queryFn: () => data(api.GET("/api/v1/accounts/{account_id}/legacy-tokens", { params: account(id) })),
  });
export const membersQuery = (id: string) =>
  queryOptions({
    queryKey: ["members", id],
    queryFn: async () => {
      const pages = [];
      for (let after = "", turn = 0; turn < 20; turn += 1) {
        const query = { limit: 200, ...(after ? { after } : {}) };
        const page = await data(api.GET("/api/v1/accounts/{account_id}/members", { params: { ...account(id), query } }));
        pages.push(...page.items);
        if (!page.next) break;
        after = page.next;
      }
      return pages;
    },
  });
export const invitationsQuery = (id: string) =>
  queryOptions({
    queryKey: ["invitations", id],
    queryFn: () =>
      data(api.GET("/api/v1/accounts/{account_id}/invitations", { params: { ...account(id), query: { limit: LIST_PAGE } } })),
  });
/** The audit trail of an account, or of the platform without one. */
export const auditQuery = (id: string | undefined, search: AuditSearch) =>
  infiniteQueryOptions({
    queryKey: ["audit", id ?? "platform", search],
    // What was done a second ago belongs in it: always asked again.
    staleTime: 0,
    queryFn: ({ pageParam }) => {
      const query = {
        limit: 50,
        ...(search.action ? { action: search.action } : {}),
        ...(search.subject ? { subject: search.subject } : {}),
        ...(search.since ? { since: search.since } : {}),
        ...(pageParam ? { after: pageParam } : {}),
      };
      return id
        ? data(api.GET("/api/v1/accounts/{account_id}/audit", { params: { ...account(id), query } }))
        : data(api.GET("/api/v1/audit", { params: { query } }));
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
  });
export const sessionsQuery = queryOptions({
  queryKey: ["sessions"],
  queryFn: () => data(api.GET("/api/v1/sessions")),
});
export const accountsQuery = (search: string) =>
  infiniteQueryOptions({
    queryKey: ["accounts", search],
    queryFn: ({ pageParam }) =>
      data(
        api.GET("/api/v1/accounts", {
          params: { query: { limit: LIST_PAGE, ...(search ? { search } : {}), ...(pageParam ? { after: pageParam } : {}) } },
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
  });
export const peopleQuery = (search: string) =>
  infiniteQueryOptions({
    queryKey: ["people", search],
    queryFn: ({ pageParam }) =>
      data(
        api.GET("/api/v1/people", {
          params: { query: { limit: LIST_PAGE, ...(search ? { search } : {}), ...(pageParam ? { after: pageParam } : {}) } },
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
  });
export const gatewaysQuery = queryOptions({
  queryKey: ["gateways"],
  queryFn: () => data(api.GET("/api/v1/gateways")),
});
export const platformCredentialsQuery = queryOptions({
  queryKey: ["platform-credentials"],
  queryFn: () => data(api.GET("/api/v1/platform-credentials")),
});
export const catalogSourceQuery = queryOptions({
  queryKey: ["catalog-source"],
  queryFn: () => data(api.GET("/api/v1/catalog/source")),
});

/** Renews everything that shows tokens of the account; a deleted one is not asked for again. */
export async function renewTokens(account_id: string, deleted?: string): Promise<void> {
  const keys = ["tokens", "token", "legacy", "account", "audit"];
  const lives = (query: { queryKey: readonly unknown[] }) => deleted === undefined || query.queryKey[2] !== deleted;
  await Promise.all(keys.map((key) => queryClient.invalidateQueries({ queryKey: [key, account_id], predicate: lives })));
}
