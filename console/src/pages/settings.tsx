// The settings of an account: its name, whether secrets can be shown again, how long tokens live, API access.
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { type Account, api, data, seen } from "../api/client";
import { queryClient, renewTokens } from "../api/queries";
import { useWords } from "../i18n";
import { Button, Choice, Dialog, Field, Stops } from "../parts/controls";
import { useAccount } from "../parts/current";
import { Page } from "../parts/frame";
import { Guard } from "../parts/guard";
import { ErrorBanner, fieldText, rolesWith } from "../parts/problem";
import { tell } from "../parts/receipt";
import { Section } from "../parts/section";
import { Empty } from "../parts/states";

export function Settings() {
  const words = useWords();
  const { t } = words;
  const current = useAccount();
  return (
    <Page title={t("settings")} steps={[{ name: t("settings") }]} sum={<p className="muted lead">{t("settings.lead")}</p>}>
      {current.may("account.manage") ? (
        <Editor key={current.account.edit} account={current.account} />
      ) : (
        <Empty icon="gear" title={t("settings.no")}>{t("settings.no.why", { who: rolesWith(words, current, ["account.manage"]) })}</Empty>
      )}
    </Page>
  );
}

const renew = async (id: string) => {
  await Promise.all([renewTokens(id), queryClient.invalidateQueries({ queryKey: ["session"] })]);
};

function Editor({ account }: { account: Account }) {
  const words = useWords();
  const { t } = words;
  const { kind } = useAccount();
  const [name, setName] = useState(account.name);
  const [reveal, setReveal] = useState<string>(account.reveal);
  const kept = account.token_lifetime_days ? String(account.token_lifetime_days) : "";
  const [days, setDays] = useState(kept);
  const [ask, setAsk] = useState(false);
  const [off, setOff] = useState(false);
  const dirty = name.trim() !== account.name || reveal !== account.reveal || days !== kept;
  const shorter = days !== "" && (kept === "" || Number(days) < Number(kept));
  const once = reveal === "once" && account.reveal !== "once";
  const save = useMutation({
    mutationFn: () =>
      data(
        api.PATCH("/api/v1/accounts/{account_id}", {
          params: { path: { account_id: account.id }, header: seen(account.edit) },
          body: {
            ...(name.trim() === account.name ? {} : { name: name.trim() }),
            ...(reveal === account.reveal ? {} : { reveal: reveal as Account["reveal"] }),
            ...(days === kept ? {} : { token_lifetime_days: days ? Number(days) : null }),
          },
        }),
      ),
    async onSuccess() {
      setAsk(false);
      await renew(account.id);
      tell(t("done.update"));
    },
    onError: () => setAsk(false),
  });
  const own = (field: string) => fieldText(words, save.error, field);
  const told = ["name", "reveal", "token_lifetime_days"].some((field) => own(field) !== undefined);
  const platform = kind.token_lifetime_days ? t("settings.life.platform", { days: kind.token_lifetime_days }) : "";
  return (
    <>
      <Guard when={dirty && !save.isSuccess} />
      {told ? null : <ErrorBanner error={save.error} />}
      <div className="card">
        <Section title={t("account.name")} what={t("settings.name")}>
          <Field label={t("account.name")} value={name} onChange={setName} maxLength={100} error={own("name")} />
        </Section>
        <Section title={t("account.reveal")} what={t("settings.reveal.what")}>
          <Choice label={t("account.reveal")} value={reveal} onChange={setReveal} options={[{ id: "recoverable", label: t("reveal.recoverable") }, { id: "once", label: t("reveal.once") }]} help={t("settings.reveal.help")} error={own("reveal")} />
        </Section>
        <Section title={t("settings.life")} what={t("settings.life.what")}>
          <Field label={t("settings.life.days")} type="number" least="1" value={days} onChange={setDays} placeholder={t("settings.life.none")} help={t("settings.life.help", { platform })} error={own("token_lifetime_days")} />
        </Section>
        <Section title={t("settings.access")} what={t("settings.access.what")}>
          <div>
            {account.api_access ? <Button look="danger" icon="power" onPress={() => setOff(true)}>{t("settings.access.off")}</Button> : <SwitchOn account={account} />}
          </div>
        </Section>
      </div>
      <div className="below">
        <Button look="primary" isDisabled={!dirty || !name.trim()} busy={save.isPending} onPress={() => (once || shorter ? setAsk(true) : save.mutate())}>{t("update")}</Button>
      </div>
      {ask ? (
        <Dialog title={t("settings.ask")} alert onClose={() => setAsk(false)} footer={<><Button onPress={() => setAsk(false)} autoFocus>{t("keep.update")}</Button><Button look="danger-fill" busy={save.isPending} onPress={() => save.mutate()}>{t("update")}</Button></>}>
          <Stops
            items={[
              ...(once ? [{ icon: "cross" as const, bad: true, text: t("reveal.once"), sub: t("settings.reveal.once") }] : []),
              ...(shorter ? [{ icon: "clock" as const, bad: true, text: t("settings.life.stops"), sub: t("settings.life.stops.sub") }] : []),
            ]}
          />
        </Dialog>
      ) : null}
      {off ? <SwitchOff account={account} onClose={() => setOff(false)} /> : null}
    </>
  );
}

function useAccess(account: Account, enabled: boolean, onDone?: () => void) {
  const { t } = useWords();
  return useMutation({
    mutationFn: () => data(api.POST("/api/v1/accounts/{account_id}/api-access", { params: { path: { account_id: account.id } }, body: { enabled } })),
    async onSuccess() {
      await renew(account.id);
      tell(enabled ? t("access.done") : t("access.off"));
      onDone?.();
    },
  });
}

function SwitchOn({ account }: { account: Account }) {
  const { t } = useWords();
  const on = useAccess(account, true);
  return (
    <>
      <ErrorBanner error={on.error} />
      <Button icon="power" busy={on.isPending} onPress={() => on.mutate()}>{t("access.enable")}</Button>
    </>
  );
}

function SwitchOff({ account, onClose }: { account: Account; onClose: () => void }) {
  const { t } = useWords();
  const off = useAccess(account, false, onClose);
  return (
    <Dialog title={t("settings.access.off.ask")} sub={account.name} alert onClose={onClose} footer={<><Button onPress={onClose} autoFocus>{t("cancel")}</Button><Button look="danger-fill" busy={off.isPending} onPress={() => off.mutate()}>{t("settings.access.off")}</Button></>}>
      <ErrorBanner error={off.error} />
      <Stops items={[{ icon: "cross", bad: true, text: t("account.stops"), sub: t("account.stops.sub") }]} />
    </Dialog>
  );
}
