// What is said of an announcement in more than one place.
import { useSuspenseQuery } from "@tanstack/react-query";
import type { Announcement, Kind } from "../api/client";
import { catalogQuery } from "../api/queries";
import { type Words, useWords } from "../i18n";
import { Chip } from "../parts/controls";

export function AnnouncementChip({ state }: { state: Announcement["state"] }) {
  const { t } = useWords();
  if (state === "sent") return <Chip tone="enabled" icon="check">{t("announcement.sent")}</Chip>;
  if (state === "sending") return <Chip tone="expiring" icon="clock">{t("announcement.sending")}</Chip>;
  return <Chip tone="line" icon="page">{t("announcement.draft")}</Chip>;
}

/** For whom it is, in a line. */
export function useAudienceText() {
  const words = useWords();
  const known = useSuspenseQuery(catalogQuery).data.kinds;
  return (announcement: Pick<Announcement, "kinds" | "versions">) => audienceText(words, known, announcement);
}

function audienceText(words: Words, known: Kind[], announcement: Pick<Announcement, "kinds" | "versions">): string {
  const label = (id: string) => words.label(known.find((kind) => kind.id === id)?.label) || id;
  const kinds = announcement.kinds.length > 0 ? words.list(announcement.kinds.map(label)) : words.t("announcement.kinds.all");
  return announcement.versions.length > 0 ? words.t("announcement.for.versions", { kinds, versions: words.list(announcement.versions.map(String)) }) : kinds;
}
