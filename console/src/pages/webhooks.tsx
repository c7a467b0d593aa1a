// The webhooks of an account.
import { useState } from "react";
import { useWords } from "../i18n";
import { Button } from "../parts/controls";
import { useAccount } from "../parts/current";
import { Page } from "../parts/frame";
import { rolesWith } from "../parts/problem";
import { Empty } from "../parts/states";
import { Webhooks } from "../parts/webhooks";

export function AccountWebhooks() {
  const words = useWords();
  const { t } = words;
  const current = useAccount();
  const [creating, setCreating] = useState(false);
  const allowed = current.may("account.manage");
  return (
    <Page
      title={t("webhooks")}
      steps={[{ name: t("webhooks") }]}
      sum={<p className="muted lead">{t("webhooks.lead")}</p>}
      actions={allowed ? <Button look="primary" icon="plus" onPress={() => setCreating(true)}>{t("webhook.create")}</Button> : null}
    >
      {allowed ? (
        <Webhooks account={current.account.id} creating={creating} onCreating={setCreating} />
      ) : (
        <Empty icon="link" title={t("settings.no")}>{t("settings.no.why", { who: rolesWith(words, current, ["account.manage"]) })}</Empty>
      )}
    </Page>
  );
}
