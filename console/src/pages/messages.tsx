// What the people and machines of the account were told.
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { deliveriesQuery } from "../api/queries";
import { useWords } from "../i18n";
import { useAccount } from "../parts/current";
import { Deliveries, DeliveryFilters } from "../parts/deliveries";
import { Page } from "../parts/frame";
import { rolesWith } from "../parts/problem";
import { Empty } from "../parts/states";

export function Messages() {
  const words = useWords();
  const { t } = words;
  const current = useAccount();
  const { account, may } = current;
  const search = useSearch({ from: "/frame/accounts/$account/messages" });
  const navigate = useNavigate({ from: "/accounts/$account/messages" });
  const list = useInfiniteQuery({ ...deliveriesQuery(account.id, search), enabled: may("audit.view") });
  const filtered = Boolean(search.state || search.channel || search.event);
  return (
    <Page title={t("messages")} steps={[{ name: t("messages") }]} sum={<p className="muted lead">{t("messages.lead")}</p>}>
      {may("audit.view") ? (
        <>
          <DeliveryFilters search={search} onChange={(next) => void navigate({ search: next, replace: true })} />
          <Deliveries
            list={list}
            account={account.id}
            mayRetry={may("tokens.manage")}
            none={filtered ? { title: t("noMatch"), why: t("messages.noMatch") } : { title: t("messages.none"), why: t("messages.none.why") }}
          />
        </>
      ) : (
        <Empty icon="send" title={t("messages.no")}>{t("activity.no.why", { who: rolesWith(words, current, ["audit.view"]) })}</Empty>
      )}
    </Page>
  );
}
