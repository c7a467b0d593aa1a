// What the pages read, each under one key, so that a change renews exactly what it touched.
import { QueryClient, infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { ApiError, type Delivery, api, data } from "./client";

/** So many fill every screen; the rest comes in the largest pages there are. */
const TOKENS_FIRST = 50;
const TOKENS_MORE = 200;
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
  /** Only what needs care: has ended, ends soon, nobody would hear of it, has a newer version. */
  care?: "expired" | "expiring" | "unheard" | "old";
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
    // Comparing a thousand tokens with themselves costs more than it saves: few cards are shown at a time.
    structuralSharing: false,
    queryFn: ({ pageParam }) =>
      data(
        api.GET("/api/v1/accounts/{account_id}/tokens", {
          params: {
            ...account(id),
            query: {
              limit: pageParam ? TOKENS_MORE : TOKENS_FIRST,
              ...(search.q ? { name: search.q } : {}),
              ...(search.created ? { created: search.created } : {}),
              ...(search.state ? { state: search.state } : search.care === "expired" || search.care === "expiring" ? { state: search.care } : {}),
              ...(search.care === "unheard" ? { heard: "nobody" as const } : {}),
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
  infiniteQueryOptions({
    queryKey: ["invitations", id],
    queryFn: ({ pageParam }) =>
      data(api.GET("/api/v1/accounts/{account_id}/invitations", { params: { ...account(id), query: { limit: LIST_PAGE, ...(pageParam ? { after: pageParam } : {}) } } })),
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
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
/** A token of any account, by its SID; for operators. */
export const foundTokenQuery = (sid: string) =>
  queryOptions({
    queryKey: ["found-token", sid],
    queryFn: () => data(api.GET("/api/v1/tokens/{sid}", { params: { path: { sid } } })),
    retry: false,
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
export const gatewayProbeQuery = (name: string) =>
  queryOptions({
    queryKey: ["gateways", name, "probe"],
    queryFn: () => data(api.GET("/api/v1/gateways/{name}/probe", { params: { path: { name } } })),
  });
export const platformCredentialsQuery = queryOptions({
  queryKey: ["platform-credentials"],
  queryFn: () => data(api.GET("/api/v1/platform-credentials")),
});
export const catalogSourceQuery = queryOptions({
  queryKey: ["catalog-source"],
  queryFn: () => data(api.GET("/api/v1/catalog/source")),
});

export type DeliverySearch = { state?: Delivery["state"]; channel?: Delivery["channel"]; event?: string };

/** What an account's people and machines were told, or what everybody was without one. */
export const deliveriesQuery = (id: string | undefined, search: DeliverySearch & { token_id?: string }) =>
  infiniteQueryOptions({
    queryKey: ["deliveries", id ?? "platform", search],
    staleTime: 0,
    queryFn: ({ pageParam }) => {
      const query = { limit: 50, ...search, ...(pageParam ? { after: pageParam } : {}) };
      return id
        ? data(api.GET("/api/v1/accounts/{account_id}/deliveries", { params: { ...account(id), query } }))
        : data(api.GET("/api/v1/deliveries", { params: { query } }));
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
  });
export const deliveryQuery = (id: string | undefined, delivery_id: string) =>
  queryOptions({
    queryKey: ["delivery", id ?? "platform", delivery_id],
    staleTime: 0,
    queryFn: () =>
      id
        ? data(api.GET("/api/v1/accounts/{account_id}/deliveries/{delivery_id}", { params: { path: { account_id: id, delivery_id } } }))
        : data(api.GET("/api/v1/deliveries/{delivery_id}", { params: { path: { delivery_id } } })),
  });
export const outboxQuery = queryOptions({
  queryKey: ["outbox"],
  staleTime: 0,
  queryFn: () => data(api.GET("/api/v1/outbox")),
});
export const addressesQuery = (id: string) =>
  queryOptions({
    queryKey: ["addresses", id],
    queryFn: async () => {
      const rows = [];
      for (let after = "", turn = 0; turn < 20; turn += 1) {
        const query = { limit: 200, ...(after ? { after } : {}) };
        const page = await data(api.GET("/api/v1/accounts/{account_id}/addresses", { params: { ...account(id), query } }));
        rows.push(...page.items);
        if (!page.next) break;
        after = page.next;
      }
      return rows;
    },
  });
export const webhooksQuery = (id: string | undefined) =>
  queryOptions({
    queryKey: ["webhooks", id ?? "platform"],
    queryFn: () => (id ? data(api.GET("/api/v1/accounts/{account_id}/webhooks", { params: account(id) })) : data(api.GET("/api/v1/webhooks"))),
  });
export const webhookDeliveriesQuery = (id: string | undefined, webhook_id: string) =>
  infiniteQueryOptions({
    queryKey: ["deliveries", id ?? "platform", "webhook", webhook_id],
    staleTime: 0,
    queryFn: ({ pageParam }) => {
      const query = { limit: 20, ...(pageParam ? { after: pageParam } : {}) };
      return id
        ? data(api.GET("/api/v1/accounts/{account_id}/webhooks/{webhook_id}/deliveries", { params: { path: { account_id: id, webhook_id }, query } }))
        : data(api.GET("/api/v1/webhooks/{webhook_id}/deliveries", { params: { path: { webhook_id }, query } }));
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
  });
export const keysQuery = queryOptions({
  queryKey: ["keys"],
  staleTime: 0,
  queryFn: () => data(api.GET("/api/v1/keys")),
  refetchInterval: (query) => (query.state.data?.rotation?.running ? 1_000 : false),
});
export const versionsQuery = queryOptions({
  queryKey: ["versions"],
  queryFn: () => data(api.GET("/api/v1/versions")),
});
export const versionTokensQuery = (kind: string, number: number) =>
  infiniteQueryOptions({
    queryKey: ["versions", kind, number],
    queryFn: ({ pageParam }) =>
      data(api.GET("/api/v1/versions/{kind}/{number}/tokens", { params: { path: { kind, number }, query: { limit: 50, ...(pageParam ? { after: pageParam } : {}) } } })),
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
  });
export const announcementsQuery = infiniteQueryOptions({
  queryKey: ["announcements"],
  queryFn: ({ pageParam }) => data(api.GET("/api/v1/announcements", { params: { query: { limit: LIST_PAGE, ...(pageParam ? { after: pageParam } : {}) } } })),
  initialPageParam: "",
  getNextPageParam: (page) => page.next ?? undefined,
});
export const announcementQuery = (announcement_id: string) =>
  queryOptions({
    queryKey: ["announcement", announcement_id],
    queryFn: () => data(api.GET("/api/v1/announcements/{announcement_id}", { params: { path: { announcement_id } } })),
    // It is handed to the outbox in the background; the page follows.
    refetchInterval: (query) => (query.state.data?.state === "sending" ? 2_000 : false),
  });
export const audienceQuery = (announcement_id: string, edit: number) =>
  infiniteQueryOptions({
    queryKey: ["announcement", announcement_id, "audience", edit],
    staleTime: 0,
    queryFn: ({ pageParam }) =>
      data(api.GET("/api/v1/announcements/{announcement_id}/audience", { params: { path: { announcement_id }, query: { limit: 50, ...(pageParam ? { after: pageParam } : {}) } } })),
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
  });
export const announcementDeliveriesQuery = (announcement_id: string) =>
  infiniteQueryOptions({
    queryKey: ["deliveries", "platform", "announcement", announcement_id],
    staleTime: 0,
    queryFn: ({ pageParam }) =>
      data(api.GET("/api/v1/announcements/{announcement_id}/deliveries", { params: { path: { announcement_id }, query: { limit: 50, ...(pageParam ? { after: pageParam } : {}) } } })),
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
  });

/** Forgets a deleted token once nothing shows it any more: the way back must not show it as it was. */
export const forgetToken = (account_id: string, token_id: string) => queryClient.removeQueries({ queryKey: ["token", account_id, token_id], type: "inactive" });

/** Renews everything that shows tokens of the account; a deleted one is not asked for again. */
export async function renewTokens(account_id: string, deleted?: string): Promise<void> {
  const keys = ["tokens", "token", "legacy", "account", "audit", "deliveries", "addresses"];
  const lives = (query: { queryKey: readonly unknown[] }) => deleted === undefined || query.queryKey[2] !== deleted;
  await Promise.all(keys.map((key) => queryClient.invalidateQueries({ queryKey: [key, account_id], predicate: lives })));
}
