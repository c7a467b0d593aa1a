// Development updates: written in two languages, for account kinds and versions; who would get one, and who got it.
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { announcementsQuery } from "../api/queries";
import { useWords } from "../i18n";
import { Button, Chip } from "../parts/controls";
import { Icon } from "../parts/icon";
import { Day, Empty, Failed, Loading } from "../parts/states";
import { AnnouncementChip, useAudienceText } from "./announcement-parts";
import { OperatorPage } from "./page";

export function Announcements() {
  const words = useWords();
  const { t } = words;
  const audience = useAudienceText();
  const list = useInfiniteQuery(announcementsQuery);
  const rows = list.data?.pages.flatMap((page) => page.items) ?? [];
  const create = (
    <Link className="btn primary" to="/operator/announcements/$announcement" params={{ announcement: "new" }}>
      <Icon name="plus" />
      {t("announcement.create")}
    </Link>
  );
  return (
    <OperatorPage title={t("operator.announcements")} lead={t("operator.announcements.lead")} actions={create}>
      {list.isPending ? <Loading height={56} /> : null}
      {list.isError ? <Failed error={list.error} retry={() => void list.refetch()} /> : null}
      {list.isSuccess && rows.length === 0 ? <Empty icon="mail" title={t("announcement.none")}>{t("announcement.none.why")}</Empty> : null}
      {rows.length > 0 ? (
        <ul className="card rows" aria-label={t("operator.announcements")}>
          {rows.map((row) => (
            <li key={row.id}>
              <span className="row-main">
                <Link className="name" to="/operator/announcements/$announcement" params={{ announcement: row.id }}>{words.language === "zh-CN" ? row.subject_zh || row.subject : row.subject}</Link>
                <span className="sub">{audience(row)}</span>
              </span>
              <span className="row-fact"><AnnouncementChip state={row.state} />{row.state === "draft" ? null : <Chip tone="line">{t("announcement.posted", { count: row.posted })}</Chip>}</span>
              <span className="row-fact faint"><Day moment={row.sent_at ?? row.created_at} /></span>
            </li>
          ))}
        </ul>
      ) : null}
      {list.hasNextPage ? <div className="more-rows"><Button busy={list.isFetchingNextPage} onPress={() => void list.fetchNextPage()}>{t("more.rows")}</Button></div> : null}
    </OperatorPage>
  );
}
