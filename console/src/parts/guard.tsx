// Asks before somebody leaves what they have not saved.
import { useBlocker } from "@tanstack/react-router";
import { useWords } from "../i18n";
import { Button, Dialog } from "./controls";

export function Guard({ when }: { when: boolean }) {
  const { t } = useWords();
  const { proceed, reset, status } = useBlocker({
    // Another tab of the same page keeps what was typed.
    shouldBlockFn: ({ current, next }) => when && current.pathname !== next.pathname,
    enableBeforeUnload: () => when,
    withResolver: true,
  });
  if (status !== "blocked") return null;
  return (
    <Dialog
      title={t("leave")}
      onClose={() => reset()}
      alert
      footer={
        <>
          <Button onPress={() => reset()} autoFocus>{t("leave.stay")}</Button>
          <Button look="danger-fill" onPress={() => proceed()}>{t("leave.go")}</Button>
        </>
      }
    >
      <p>{t("leave.what")}</p>
    </Dialog>
  );
}
