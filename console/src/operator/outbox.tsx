// Everything that waits to be told, was told, or was given up; and whether mail can be sent at all.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { deliveriesQuery, outboxQuery } from "../api/queries";
import { useWords } from "../i18n";
import { Banner, Chip } from "../parts/controls";
import { Deliveries, DeliveryFilters } from "../parts/deliveries";
import { ErrorBanner } from "../parts/problem";
import { When } from "../parts/states";
import { OperatorPage } from "./page";

export function Outbox() {
  const { t, number } = useWords();
  const search = useSearch({ from: "/frame/operator/outbox" });
  const navigate = useNavigate({ from: "/operator/outbox" });
  const standing = useQuery({ ...outboxQuery, refetchInterval: 10_000 });
  const list = useInfiniteQuery(deliveriesQuery(undefined, search));
  const filtered = Boolean(search.state || search.channel || search.event);
  return (
    <OperatorPage title={t("operator.outbox")} lead={t("operator.outbox.lead")}>
      <ErrorBanner error={standing.error} />
      {standing.data && !standing.data.mail.open ? <div className="above"><Banner tone="warn" icon="mail">{t("outbox.noServer")}</Banner></div> : null}
      {standing.data ? (
        <div className="kinds">
          {(["mail", "webhook"] as const).map((channel) => {
            const now = standing.data[channel];
            return (
              <section key={channel} className="card pad" aria-label={t(`channel.${channel}`)}>
                <h2>{t(`channel.${channel}`)}</h2>
                <dl className="kv">
                  <div><dt>{t("outbox.open")}</dt><dd>{now.open ? <Chip tone="enabled" icon="dot">{t("outbox.open.yes")}</Chip> : <Chip tone="expiring" icon="clock">{t("outbox.open.no")}</Chip>}</dd></div>
                  <div><dt>{t("delivery.waiting")}</dt><dd>{number(now.waiting)}</dd></div>
                  <div><dt>{t("outbox.oldest")}</dt><dd>{now.oldest_at ? <When moment={now.oldest_at} /> : t("none")}</dd></div>
                  <div><dt>{t("delivery.dead")}</dt><dd className={now.dead > 0 ? "bad" : ""}>{number(now.dead)}</dd></div>
                </dl>
              </section>
            );
          })}
        </div>
      ) : null}
      <DeliveryFilters search={search} onChange={(next) => void navigate({ search: next, replace: true })} />
      <Deliveries list={list} mayRetry none={filtered ? { title: t("noMatch"), why: t("messages.noMatch") } : { title: t("messages.none"), why: t("outbox.none.why") }} />
    </OperatorPage>
  );
}
