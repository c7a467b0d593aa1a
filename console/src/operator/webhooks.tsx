// The platform's own webhooks: they hear of every account.
import { useState } from "react";
import { useWords } from "../i18n";
import { Button } from "../parts/controls";
import { Webhooks } from "../parts/webhooks";
import { OperatorPage } from "./page";

export function PlatformWebhooks() {
  const { t } = useWords();
  const [creating, setCreating] = useState(false);
  return (
    <OperatorPage title={t("webhooks")} lead={t("webhooks.platform.lead")} actions={<Button look="primary" icon="plus" onPress={() => setCreating(true)}>{t("webhook.create")}</Button>}>
      <Webhooks creating={creating} onCreating={setCreating} />
    </OperatorPage>
  );
}
