// One announcement: a draft is written, its audience looked at, and sent; then it says who got it.
import { useInfiniteQuery, useMutation, useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { Checkbox, CheckboxGroup, Label } from "react-aria-components";
import { type Announcement, type NewAnnouncement, api, data, seen } from "../api/client";
import { announcementDeliveriesQuery, announcementQuery, audienceQuery, catalogQuery, queryClient } from "../api/queries";
import { useWords } from "../i18n";
import { Banner, Button, Chip, Dialog, Field, Stops, Tick, type Tone } from "../parts/controls";
import { Deliveries } from "../parts/deliveries";
import { Guard } from "../parts/guard";
import { ErrorBanner, fieldText } from "../parts/problem";
import { tell } from "../parts/receipt";
import { Section } from "../parts/section";
import { Empty, Failed, Loading } from "../parts/states";
import { AnnouncementChip, useAudienceText } from "./announcement-parts";
import { OperatorPage } from "./page";

export function AnnouncementPage() {
  const { t } = useWords();
  const { announcement: id } = useParams({ from: "/frame/operator/announcements/$announcement" });
  const found = useQuery({ ...announcementQuery(id), enabled: id !== "new" });
  if (id === "new") return <Draft key="new" />;
  if (!found.data) {
    return <OperatorPage title={t("announcement")} lead="">{found.isError ? <Failed error={found.error} retry={() => void found.refetch()} /> : <Loading />}</OperatorPage>;
  }
  return found.data.state === "draft" ? <Draft key={found.data.id} announcement={found.data} /> : <Sent announcement={found.data} />;
}

const renew = () => Promise.all(["announcements", "announcement"].map((key) => queryClient.invalidateQueries({ queryKey: [key] })));
type Form = Required<Omit<NewAnnouncement, "link">> & { link: string };
const formOf = (of?: Announcement): Form => ({
  subject: of?.subject ?? "",
  body: of?.body ?? "",
  subject_zh: of?.subject_zh ?? "",
  body_zh: of?.body_zh ?? "",
  link: of?.link ?? "",
  kinds: of?.kinds ?? [],
  versions: of?.versions ?? [],
});

function Draft({ announcement }: { announcement?: Announcement }) {
  const words = useWords();
  const { t } = words;
  const navigate = useNavigate();
  const kinds = useSuspenseQuery(catalogQuery).data.kinds;
  const [form, setForm] = useState(() => formOf(announcement));
  const [ask, setAsk] = useState<"send" | "delete" | null>(null);
  const [gone, setGone] = useState(false);
  const put = (change: Partial<Form>) => setForm((now) => ({ ...now, ...change }));
  const dirty = JSON.stringify(form) !== JSON.stringify(formOf(announcement));
  const versions = [...new Set(kinds.filter((kind) => form.kinds.length === 0 || form.kinds.includes(kind.id)).flatMap((kind) => kind.versions.map((row) => row.number)))].sort((a, b) => b - a);
  const save = useMutation({
    async mutationFn() {
      const body = { ...form, link: form.link.trim() || null };
      return announcement
        ? data(api.PATCH("/api/v1/announcements/{announcement_id}", { params: { path: { announcement_id: announcement.id }, header: seen(announcement.edit) }, body }))
        : data(api.POST("/api/v1/announcements", { body }));
    },
    async onSuccess(saved) {
      queryClient.setQueryData(announcementQuery(saved.id).queryKey, saved);
      setForm(formOf(saved));
      setGone(true);
      await renew();
      tell(t("announcement.saved"));
      if (announcement) setGone(false);
      else window.setTimeout(() => void navigate({ to: "/operator/announcements/$announcement", params: { announcement: saved.id }, replace: true }), 0);
    },
  });
  const own = (field: string) => fieldText(words, save.error, field);
  const told = ["subject", "body", "subject_zh", "body_zh", "link"].some((field) => own(field) !== undefined);
  return (
    <OperatorPage title={announcement ? (words.language === "zh-CN" ? announcement.subject_zh || announcement.subject : announcement.subject) : t("announcement.create")} lead={t("announcement.lead")}>
      <Guard when={dirty && !gone} />
      {told ? null : <ErrorBanner error={save.error} />}
      <div className="card">
        <Section title={t("language.en")} what={t("announcement.en")}>
          <Field label={t("announcement.subject")} value={form.subject} onChange={(subject) => put({ subject })} maxLength={200} error={own("subject")} required />
          <Field label={t("announcement.body")} value={form.body} onChange={(body) => put({ body })} lines={7} maxLength={10_000} error={own("body")} required />
        </Section>
        <Section title={t("language.zh")} what={t("announcement.zh")}>
          <Field label={t("announcement.subject")} value={form.subject_zh} onChange={(subject_zh) => put({ subject_zh })} maxLength={200} error={own("subject_zh")} />
          <Field label={t("announcement.body")} value={form.body_zh} onChange={(body_zh) => put({ body_zh })} lines={7} maxLength={10_000} error={own("body_zh")} />
        </Section>
        <Section title={t("announcement.whom")} what={t("announcement.whom.what")}>
          <CheckboxGroup className="events" value={form.kinds} onChange={(next) => put({ kinds: next, versions: [] })}>
            <Label className="label">{t("announcement.kinds")}</Label>
            {kinds.map((kind) => <Checkbox key={kind.id} value={kind.id} className="check"><Tick /><span>{words.label(kind.label)}</span></Checkbox>)}
          </CheckboxGroup>
          <CheckboxGroup className="events tight" value={form.versions.map(String)} onChange={(next) => put({ versions: next.map(Number) })}>
            <Label className="label">{t("announcement.versions")}</Label>
            {versions.map((number) => <Checkbox key={number} value={String(number)} className="check"><Tick /><span>{number}</span></Checkbox>)}
          </CheckboxGroup>
          <Field label={t("announcement.link")} value={form.link} onChange={(link) => put({ link })} type="url" help={t("announcement.link.help")} error={own("link")} />
        </Section>
        {announcement && !dirty ? (
          <Section title={t("announcement.audience")} what={t("announcement.audience.what")}>
            <Audience announcement={announcement} />
          </Section>
        ) : null}
      </div>
      <div className="below">
        <Button look={announcement && !dirty ? "" : "primary"} busy={save.isPending} isDisabled={!dirty || !form.subject.trim() || !form.body.trim()} onPress={() => save.mutate()}>{t("announcement.save")}</Button>
        {announcement ? <Button look={dirty ? "" : "primary"} icon="send" isDisabled={dirty} onPress={() => setAsk("send")}>{t("announcement.send")}</Button> : null}
        {announcement ? <Button look="danger" icon="bin" onPress={() => setAsk("delete")}>{t("delete")}</Button> : null}
        {dirty ? <span className="muted t13">{t("announcement.first")}</span> : null}
      </div>
      {ask && announcement ? <Ask deed={ask} announcement={announcement} onClose={() => setAsk(null)} onGone={() => setGone(true)} /> : null}
    </OperatorPage>
  );
}

const STANDING: Record<string, Tone> = { hears: "enabled", unsubscribed: "line", unconfirmed: "expiring", bounced: "danger", switched_off: "disabled" };

function Audience({ announcement }: { announcement: Announcement }) {
  const words = useWords();
  const { t } = words;
  const list = useInfiniteQuery(audienceQuery(announcement.id, announcement.edit));
  if (list.isPending) return <Loading rows={1} height={56} />;
  if (list.isError) return <Failed error={list.error} retry={() => void list.refetch()} />;
  const counts = list.data.pages[0]?.counts ?? {};
  const rows = list.data.pages.flatMap((page) => page.items);
  if (rows.length === 0) return <Banner tone="warn">{t("announcement.nobody")}</Banner>;
  return (
    <>
      <p className="chips-row">
        {Object.entries(counts).map(([standing, count]) => <Chip key={standing} tone={STANDING[standing] ?? "line"}>{t("pair", { name: t(`standing.${standing}` as never), value: words.number(count ?? 0) })}</Chip>)}
      </p>
      <ul className="rows inset" aria-label={t("announcement.audience")}>
        {rows.map((row) => (
          <li key={row.email}>
            <span className="row-main">{row.email}</span>
            <span className="row-fact">{row.standing === "hears" ? null : <Chip tone={STANDING[row.standing] ?? "line"}>{t(`standing.${row.standing}`)}</Chip>}</span>
            <span className="row-fact faint">{t(row.language === "zh-CN" ? "language.zh" : "language.en")}</span>
          </li>
        ))}
      </ul>
      {list.hasNextPage ? <div><Button small busy={list.isFetchingNextPage} onPress={() => void list.fetchNextPage()}>{t("more.rows")}</Button></div> : null}
    </>
  );
}

function Ask({ deed, announcement, onClose, onGone }: { deed: "send" | "delete"; announcement: Announcement; onClose: () => void; onGone: () => void }) {
  const words = useWords();
  const { t } = words;
  const audience = useAudienceText();
  const navigate = useNavigate();
  const hearing = useInfiniteQuery({ ...audienceQuery(announcement.id, announcement.edit), enabled: deed === "send" }).data?.pages[0]?.counts["hears"] ?? 0;
  const run = useMutation({
    async mutationFn() {
      const path = { announcement_id: announcement.id };
      if (deed === "delete") await api.DELETE("/api/v1/announcements/{announcement_id}", { params: { path } });
      else await data(api.POST("/api/v1/announcements/{announcement_id}/send", { params: { path, header: seen(announcement.edit) } }));
    },
    async onSuccess() {
      onGone();
      if (deed === "delete") {
        await navigate({ to: "/operator/announcements" });
        queryClient.removeQueries({ queryKey: announcementQuery(announcement.id).queryKey });
        await queryClient.invalidateQueries({ queryKey: ["announcements"] });
      } else {
        onClose();
        await renew();
      }
      tell(t(deed === "delete" ? "announcement.deleted" : "announcement.on"));
    },
  });
  return (
    <Dialog
      title={t(deed === "send" ? "announcement.send.ask" : "announcement.delete.ask", { subject: announcement.subject })}
      alert
      onClose={onClose}
      footer={
        <>
          <Button onPress={onClose} autoFocus>{t("cancel")}</Button>
          <Button look={deed === "delete" ? "danger-fill" : "primary"} busy={run.isPending} onPress={() => run.mutate()}>{t(deed === "delete" ? "delete" : "announcement.send")}</Button>
        </>
      }
    >
      <ErrorBanner error={run.error} />
      {deed === "send" ? (
        <Stops items={[{ icon: "mail", text: t("announcement.send.what", { count: hearing }), sub: audience(announcement) }, { icon: "warn", bad: true, text: t("announcement.send.last") }]} />
      ) : (
        <Stops items={[{ icon: "cross", bad: true, text: t("announcement.delete.what") }]} />
      )}
    </Dialog>
  );
}

function Sent({ announcement }: { announcement: Announcement }) {
  const words = useWords();
  const { t } = words;
  const audience = useAudienceText();
  const list = useInfiniteQuery({ ...announcementDeliveriesQuery(announcement.id), refetchInterval: announcement.state === "sending" ? 2_000 : false });
  const counts = list.data?.pages[0]?.counts ?? {};
  return (
    <OperatorPage title={announcement.subject} lead={audience(announcement)} actions={<AnnouncementChip state={announcement.state} />}>
      <div className="card">
        <Section title={t("language.en")}><p className="letter">{announcement.body}</p></Section>
        {announcement.body_zh ? <Section title={t("language.zh")} what={announcement.subject_zh}><p className="letter">{announcement.body_zh}</p></Section> : null}
        {announcement.link ? <Section title={t("announcement.link")}><p><a href={announcement.link} rel="noreferrer">{announcement.link}</a></p></Section> : null}
      </div>
      <section className="block">
        <h2>{t("announcement.who")}</h2>
        <p className="chips-row">
          <Chip tone="line">{t("announcement.posted", { count: announcement.posted })}</Chip>
          {Object.entries(counts).map(([state, count]) => <Chip key={state} tone={state === "dead" ? "danger" : state === "sent" ? "enabled" : "line"}>{t("pair", { name: t(`delivery.${state}` as never), value: words.number(count) })}</Chip>)}
        </p>
        {announcement.state === "sending" && !list.data?.pages[0]?.items.length ? <Empty icon="send" title={t("announcement.sending")}>{t("announcement.sending.why")}</Empty> : <Deliveries list={list} mayRetry level={3} none={{ title: t("messages.none"), why: t("announcement.nobody") }} />}
      </section>
      <p className="below"><Link to="/operator/announcements">{t("announcement.all")}</Link></p>
    </OperatorPage>
  );
}
