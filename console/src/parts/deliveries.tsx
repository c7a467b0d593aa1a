// What was told to whom: each message with how far it is, its tries when one looks closer, and another try.
import { type UseInfiniteQueryResult, useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Button as AriaButton, Disclosure, DisclosurePanel, Heading } from "react-aria-components";
import { type Delivery, api, data } from "../api/client";
import { type DeliverySearch, deliveryQuery, queryClient } from "../api/queries";
import { isKey, useWords } from "../i18n";
import { Button, Chip, Choice, type Tone } from "./controls";
import { CHANNELS, DELIVERY_STATES, EVENTS } from "./events";
import { Icon, type IconName } from "./icon";
import { ErrorBanner } from "./problem";
import { tell } from "./receipt";
import { Empty, Failed, Loading, When } from "./states";
import "./deliveries.css";

const LOOK: Record<Delivery["state"], { tone: Tone; icon: IconName }> = {
  waiting: { tone: "line", icon: "clock" },
  held: { tone: "expiring", icon: "mail" },
  sent: { tone: "enabled", icon: "check" },
  dead: { tone: "danger", icon: "cross" },
};

/** What a message tells, in words; an event the catalogs do not know shows as it is. */
export function useEventName() {
  const { t } = useWords();
  return (event: string) => {
    const key = `event.${event}`;
    return isKey(key) ? t(key) : event;
  };
}

export function DeliveryFilters({ search, onChange }: { search: DeliverySearch; onChange: (search: DeliverySearch) => void }) {
  const { t } = useWords();
  const name = useEventName();
  const set = (change: Record<string, string | undefined>) => onChange(Object.fromEntries(Object.entries({ ...search, ...change }).filter(([, value]) => value)));
  const pick = (field: string) => (id: string) => set({ [field]: id === "any" ? undefined : id });
  return (
    <div className="filters" role="search" aria-label={t("filters")}>
      <Choice inline label={t("filter.state")} value={search.state ?? "any"} onChange={pick("state")} options={[{ id: "any", label: t("filter.all") }, ...DELIVERY_STATES.map((id) => ({ id, label: t(`delivery.${id}`) }))]} />
      <Choice inline label={t("delivery.channel")} value={search.channel ?? "any"} onChange={pick("channel")} options={[{ id: "any", label: t("filter.all") }, ...CHANNELS.map((id) => ({ id, label: t(`channel.${id}`) }))]} />
      <Choice inline label={t("delivery.event")} value={search.event ?? "any"} onChange={pick("event")} options={[{ id: "any", label: t("activity.all") }, ...EVENTS.map((id) => ({ id, label: name(id) }))]} />
      <Button look="quiet" isDisabled={!search.state && !search.channel && !search.event} onPress={() => onChange({})}>{t("clearAll")}</Button>
    </div>
  );
}

type Page = { items: Delivery[] };

/** `account`: whose deliveries these are, where they are one account's; `mayRetry`: whether another try may be asked for. */
export function Deliveries({ list, account, mayRetry, none, level = 2 }: { list: UseInfiniteQueryResult<{ pages: Page[] }>; account?: string | undefined; mayRetry: boolean; none: { title: string; why: string }; level?: 2 | 3 }) {
  const { t } = useWords();
  if (list.isPending) return <Loading rows={6} height={56} />;
  if (list.isError) return <Failed error={list.error} retry={() => void list.refetch()} />;
  const rows = list.data.pages.flatMap((page) => page.items);
  if (rows.length === 0) return <Empty icon="send" title={none.title}>{none.why}</Empty>;
  return (
    <>
      <ol className="card deliveries" aria-label={t("messages")}>
        {rows.map((row) => <DeliveryRow key={row.id} row={row} account={account} mayRetry={mayRetry} level={level} />)}
      </ol>
      {list.hasNextPage ? (
        <div className="more-rows"><Button busy={list.isFetchingNextPage} onPress={() => void list.fetchNextPage()}>{t("more.rows")}</Button></div>
      ) : null}
    </>
  );
}

function DeliveryRow({ row, account, mayRetry, level }: { row: Delivery; account: string | undefined; mayRetry: boolean; level: 2 | 3 }) {
  const name = useEventName();
  const [open, setOpen] = useState(false);
  return (
    <li>
      <Disclosure className="delivery" isExpanded={open} onExpandedChange={setOpen}>
        <Heading level={level}>
          <AriaButton slot="trigger" className="opener">
            <Icon name="right" />
            <span className="delivery-what"><b>{name(row.event)}</b></span>
            <span className="delivery-to"><Icon name={row.channel === "webhook" ? "link" : "mail"} /><span>{row.address}</span></span>
            <span className="delivery-state"><DeliveryChip row={row} /></span>
            <span className="delivery-when"><When moment={row.settled_at ?? row.created_at} /></span>
          </AriaButton>
        </Heading>
        <DisclosurePanel>{open ? <Detail row={row} account={account} mayRetry={mayRetry} /> : null}</DisclosurePanel>
      </Disclosure>
    </li>
  );
}

export function DeliveryChip({ row }: { row: Delivery }) {
  const { t } = useWords();
  const { tone, icon } = LOOK[row.state];
  return (
    <>
      <Chip tone={tone} icon={icon}>{t(`delivery.${row.state}`)}</Chip>
      {row.code ? <span className="faint mono">{row.code}</span> : null}
    </>
  );
}

function Detail({ row, account, mayRetry }: { row: Delivery; account: string | undefined; mayRetry: boolean }) {
  const words = useWords();
  const { t } = words;
  const detail = useQuery(deliveryQuery(account, row.id));
  const again = useMutation({
    mutationFn: () =>
      account
        ? data(api.POST("/api/v1/accounts/{account_id}/deliveries/{delivery_id}/retry", { params: { path: { account_id: account, delivery_id: row.id } } }))
        : data(api.POST("/api/v1/deliveries/{delivery_id}/retry", { params: { path: { delivery_id: row.id } } })),
    async onSuccess() {
      await Promise.all([queryClient.invalidateQueries({ queryKey: ["deliveries"] }), queryClient.invalidateQueries({ queryKey: ["delivery"] }), queryClient.invalidateQueries({ queryKey: ["outbox"] })]);
      tell(t("delivery.again.done"));
    },
  });
  const now = detail.data ?? row;
  return (
    <div className="stack tight">
      <dl className="kv">
        <div><dt>{t("delivery.to")}</dt><dd>{t("pair.dot", { one: row.address, other: t(`recipient.${row.kind}`) })}</dd></div>
        <div><dt>{t("delivery.posted")}</dt><dd>{words.exact(row.created_at)}</dd></div>
        {now.waits_for ? <div><dt>{t("delivery.waits")}</dt><dd>{t(`waits.${now.waits_for}`)}</dd></div> : null}
        {now.next_at && now.state === "waiting" && !now.waits_for ? <div><dt>{t("delivery.next")}</dt><dd><When moment={now.next_at} /></dd></div> : null}
        <div><dt>{t("delivery.tries")}</dt><dd>{t("delivery.tries.of", { tries: now.tries, most: now.tries_max })}</dd></div>
      </dl>
      {detail.isError ? <Failed error={detail.error} retry={() => void detail.refetch()} /> : null}
      {detail.data && detail.data.attempts.length > 0 ? (
        <ol className="attempts" aria-label={t("delivery.tries")}>
          {detail.data.attempts.map((one) => (
            <li key={one.number}>
              <span className="faint">{t("delivery.try", { number: one.number })}</span>
              <span><When moment={one.at} /></span>
              <span className={one.reason ? "bad" : ""}>
                {one.reason === null ? t("delivery.arrived") : one.code ? t("delivery.answered", { code: one.code }) : t("delivery.failed")}
                {/* In the words of whoever answered. */}
                {one.reason ? <span className="faint mono" lang="en"> {one.reason}</span> : null}
              </span>
              <span className="faint">{t("delivery.millis", { millis: words.number(one.millis) })}</span>
            </li>
          ))}
        </ol>
      ) : null}
      <ErrorBanner error={again.error} />
      {mayRetry && !now.waits_for && (now.state === "dead" || now.state === "waiting") ? <div><Button small icon="reset" busy={again.isPending} onPress={() => again.mutate()}>{t("delivery.again")}</Button></div> : null}
    </div>
  );
}
