// Webhooks of an account, or of the platform: where requests go, what they hear, whether they arrive.
import { useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Checkbox, CheckboxGroup, Label } from "react-aria-components";
import { type NewWebhook, type Webhook, type WebhookPatch, api, data, seen } from "../api/client";
import { queryClient, webhookDeliveriesQuery, webhooksQuery } from "../api/queries";
import { useWords } from "../i18n";
import { Banner, Button, Chip, Copyable, Dialog, Field, Stops, Tick } from "./controls";
import { Deliveries, useEventName } from "./deliveries";
import { EVENTS } from "./events";
import { ErrorBanner, fieldText } from "./problem";
import { tell } from "./receipt";
import { Empty, Failed, Loading } from "./states";

/** The same deeds on the two roads: an account's webhooks, the platform's. */
function deeds(account: string | undefined) {
  const one = (webhook_id: string) => ({ params: { path: { webhook_id } } });
  const own = (webhook_id: string) => ({ params: { path: { account_id: account ?? "", webhook_id } } });
  return {
    create: (body: NewWebhook) =>
      account ? data(api.POST("/api/v1/accounts/{account_id}/webhooks", { params: { path: { account_id: account } }, body })) : data(api.POST("/api/v1/webhooks", { body })),
    edit: ({ id, edit }: Webhook, body: WebhookPatch) =>
      account
        ? data(api.PATCH("/api/v1/accounts/{account_id}/webhooks/{webhook_id}", { params: { ...own(id).params, header: seen(edit) }, body }))
        : data(api.PATCH("/api/v1/webhooks/{webhook_id}", { params: { ...one(id).params, header: seen(edit) }, body })),
    remove: (id: string) => (account ? api.DELETE("/api/v1/accounts/{account_id}/webhooks/{webhook_id}", own(id)) : api.DELETE("/api/v1/webhooks/{webhook_id}", one(id))),
    rotate: (id: string) =>
      account ? data(api.POST("/api/v1/accounts/{account_id}/webhooks/{webhook_id}/rotate", own(id))) : data(api.POST("/api/v1/webhooks/{webhook_id}/rotate", one(id))),
    test: (id: string) => (account ? api.POST("/api/v1/accounts/{account_id}/webhooks/{webhook_id}/test", own(id)) : api.POST("/api/v1/webhooks/{webhook_id}/test", one(id))),
  };
}

const renew = () => Promise.all(["webhooks", "deliveries", "outbox"].map((key) => queryClient.invalidateQueries({ queryKey: [key] })));
type Ask = { deed: "edit" | "rotate" | "delete" | "switch" | "log"; webhook: Webhook };

/** The button that makes one stands in the head of the page, which says so by `creating`. */
export function Webhooks({ account, creating, onCreating }: { account?: string; creating: boolean; onCreating: (open: boolean) => void }) {
  const { t } = useWords();
  const list = useQuery(webhooksQuery(account));
  const [ask, setAsk] = useState<Ask | null>(null);
  const [secret, setSecret] = useState<{ url: string; secret: string } | null>(null);
  const test = useMutation({
    mutationFn: (webhook: Webhook) => deeds(account).test(webhook.id),
    async onSuccess(_, webhook) {
      await renew();
      tell(t("webhook.test.done"));
      setAsk({ deed: "log", webhook });
    },
  });
  const close = () => setAsk(null);
  const shown = (answer: { webhook: Webhook; signing_secret: string }) => setSecret({ url: answer.webhook.url, secret: answer.signing_secret });
  return (
    <>
      <ErrorBanner error={test.error} />
      {list.isPending ? <Loading height={56} /> : null}
      {list.isError ? <Failed error={list.error} retry={() => void list.refetch()} /> : null}
      {list.data?.items.length === 0 ? (
        <Empty icon="link" title={t("webhook.none")} actions={<Button look="primary" icon="plus" onPress={() => onCreating(true)}>{t("webhook.create")}</Button>}>{t("webhook.none.why")}</Empty>
      ) : null}
      {list.data && list.data.items.length > 0 ? (
        <ul className="card rows" aria-label={t("webhooks")}>
          {list.data.items.map((webhook) => (
            <Row key={webhook.id} webhook={webhook} onAsk={(deed) => setAsk({ deed, webhook })} onTest={() => test.mutate(webhook)} testing={test.isPending && test.variables?.id === webhook.id} />
          ))}
        </ul>
      ) : null}
      {creating ? <Form account={account} onClose={() => onCreating(false)} onMade={shown} /> : null}
      {ask?.deed === "edit" ? <Form account={account} webhook={ask.webhook} onClose={close} onMade={shown} /> : null}
      {ask?.deed === "log" ? <Log account={account} webhook={ask.webhook} onClose={close} /> : null}
      {ask && (ask.deed === "rotate" || ask.deed === "delete" || ask.deed === "switch") ? <Confirm account={account} deed={ask.deed} webhook={ask.webhook} onClose={close} onMade={shown} /> : null}
      {secret ? (
        <Dialog title={t("webhook.secret")} sub={secret.url} firm wide onClose={() => setSecret(null)} footer={<Button look="primary" onPress={() => setSecret(null)}>{t("link.kept")}</Button>}>
          <Copyable label={t("webhook.signing")} value={secret.secret} />
          <Banner tone="warn" icon="key">{t("webhook.secret.once")}</Banner>
        </Dialog>
      ) : null}
    </>
  );
}

function Row({ webhook, onAsk, onTest, testing }: { webhook: Webhook; onAsk: (deed: Ask["deed"]) => void; onTest: () => void; testing: boolean }) {
  const words = useWords();
  const { t } = words;
  const name = useEventName();
  const label = (verb: string) => t("pair", { name: verb, value: webhook.url });
  return (
    <li>
      <span className="row-main">
        <b>{webhook.url}</b>
        <span className="sub">{[webhook.description, webhook.events.length === 0 ? t("webhook.all") : words.list(webhook.events.map(name))].filter(Boolean).join(" · ")}</span>
      </span>
      <span className="row-fact">
        {webhook.enabled ? <Chip tone="enabled" icon="dot">{t("enabled")}</Chip> : <Chip tone="disabled" icon="power">{t("disabled")}</Chip>}
        {webhook.failing_since ? <Chip tone="danger" icon="warn">{t("webhook.failing", { when: words.relative(webhook.failing_since) })}</Chip> : null}
        {webhook.former_secret_ends_at ? <Chip tone="expiring" icon="key">{t("webhook.former", { when: words.minute(webhook.former_secret_ends_at) })}</Chip> : null}
      </span>
      <span className="row-acts">
        <Button small busy={testing} isDisabled={!webhook.enabled} aria-label={label(t("webhook.test"))} onPress={onTest}>{t("webhook.test")}</Button>
        <Button small aria-label={label(t("webhook.log"))} onPress={() => onAsk("log")}>{t("webhook.log")}</Button>
        <Button small aria-label={label(t("edit"))} onPress={() => onAsk("edit")}>{t("edit")}</Button>
        <Button small aria-label={label(t("webhook.rotate"))} onPress={() => onAsk("rotate")}>{t("webhook.rotate")}</Button>
        <Button small aria-label={label(webhook.enabled ? t("disable") : t("enable"))} onPress={() => onAsk("switch")}>{webhook.enabled ? t("disable") : t("enable")}</Button>
        <Button small look="danger" aria-label={label(t("delete"))} onPress={() => onAsk("delete")}>{t("delete")}</Button>
      </span>
    </li>
  );
}

function Form({ account, webhook, onClose, onMade }: { account: string | undefined; webhook?: Webhook; onClose: () => void; onMade: (answer: { webhook: Webhook; signing_secret: string }) => void }) {
  const words = useWords();
  const { t } = words;
  const name = useEventName();
  const [url, setUrl] = useState(webhook?.url ?? "");
  const [description, setDescription] = useState(webhook?.description ?? "");
  const [all, setAll] = useState((webhook?.events.length ?? 0) === 0);
  const [events, setEvents] = useState<string[]>(webhook?.events ?? []);
  const run = useMutation({
    async mutationFn() {
      const body = { url: url.trim(), description, events: all ? [] : events };
      if (webhook) {
        await deeds(account).edit(webhook, body);
        return null;
      }
      return deeds(account).create(body);
    },
    async onSuccess(made) {
      await renew();
      onClose();
      tell(made ? t("webhook.done.created") : t("done.update"));
      if (made) onMade(made);
    },
  });
  const own = (field: string) => fieldText(words, run.error, field);
  return (
    <Dialog
      title={webhook ? t("webhook.edit") : t("webhook.create")}
      wide
      onClose={onClose}
      footer={
        <>
          <Button onPress={onClose}>{t("cancel")}</Button>
          <Button look="primary" busy={run.isPending} isDisabled={!url.trim() || (!all && events.length === 0)} onPress={() => run.mutate()}>{webhook ? t("update") : t("webhook.create")}</Button>
        </>
      }
    >
      {own("url") || own("description") ? null : <ErrorBanner error={run.error} />}
      <Field label={t("webhook.url")} value={url} onChange={setUrl} type="url" mono help={t("webhook.url.help")} error={own("url")} autoFocus />
      <Field label={t("description")} value={description} onChange={setDescription} maxLength={500} error={own("description")} />
      <Checkbox className="check" isSelected={all} onChange={setAll}><Tick /><span>{t("webhook.all")}</span></Checkbox>
      {all ? null : (
        <CheckboxGroup className="events" value={events} onChange={setEvents}>
          <Label className="label">{t("webhook.events")}</Label>
          {EVENTS.filter((event) => event !== "webhook.test").map((event) => (
            <Checkbox key={event} value={event} className="check"><Tick /><span>{name(event)} <span className="faint mono">{event}</span></span></Checkbox>
          ))}
        </CheckboxGroup>
      )}
    </Dialog>
  );
}

function Confirm({ account, deed, webhook, onClose, onMade }: { account: string | undefined; deed: "rotate" | "delete" | "switch"; webhook: Webhook; onClose: () => void; onMade: (answer: { webhook: Webhook; signing_secret: string }) => void }) {
  const { t } = useWords();
  const run = useMutation({
    async mutationFn() {
      if (deed === "rotate") return deeds(account).rotate(webhook.id);
      if (deed === "delete") await deeds(account).remove(webhook.id);
      else await deeds(account).edit(webhook, { enabled: !webhook.enabled });
      return null;
    },
    async onSuccess(answer) {
      await renew();
      onClose();
      tell(t("done.update"));
      if (answer) onMade(answer);
    },
  });
  const verb = deed === "rotate" ? t("webhook.rotate") : deed === "delete" ? t("delete") : webhook.enabled ? t("disable") : t("enable");
  const harm = deed === "delete" || (deed === "switch" && webhook.enabled);
  return (
    <Dialog title={t("pair", { name: verb, value: webhook.url })} alert onClose={onClose} footer={<><Button onPress={onClose} autoFocus>{t("cancel")}</Button><Button look={harm ? "danger-fill" : "primary"} busy={run.isPending} onPress={() => run.mutate()}>{verb}</Button></>}>
      <ErrorBanner error={run.error} />
      {deed === "rotate" ? <Stops items={[{ icon: "key", text: t("webhook.rotate.what"), sub: t("webhook.rotate.sub") }]} /> : null}
      {deed === "delete" ? <Stops items={[{ icon: "cross", bad: true, text: t("webhook.delete.what"), sub: t("webhook.delete.sub") }]} /> : null}
      {deed === "switch" ? <Stops items={[webhook.enabled ? { icon: "cross", bad: true, text: t("webhook.off.what"), sub: t("webhook.off.sub") } : { icon: "check", text: t("webhook.on.what") }]} /> : null}
    </Dialog>
  );
}

function Log({ account, webhook, onClose }: { account: string | undefined; webhook: Webhook; onClose: () => void }) {
  const { t, relative } = useWords();
  const list = useInfiniteQuery({ ...webhookDeliveriesQuery(account, webhook.id), refetchInterval: 3_000 });
  return (
    <Dialog title={t("webhook.log")} sub={webhook.url} wide onClose={onClose} footer={<Button look="primary" onPress={onClose} autoFocus>{t("close")}</Button>}>
      {webhook.failing_since ? <Banner tone="bad">{t("webhook.failing.why", { when: relative(webhook.failing_since) })}</Banner> : null}
      <Deliveries list={list} account={account} mayRetry level={3} none={{ title: t("webhook.log.none"), why: t("webhook.log.none.why") }} />
    </Dialog>
  );
}
