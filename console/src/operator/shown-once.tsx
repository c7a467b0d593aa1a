// A credential that was just made or reset: the only time it is shown.
import { useWords } from "../i18n";
import { Button, Copyable, Dialog } from "../parts/controls";

export function ShownOnce({ title, credential, onClose }: { title: string; credential: string; onClose: () => void }) {
  const { t } = useWords();
  return (
    <Dialog title={title} firm wide onClose={onClose} footer={<Button look="primary" onPress={onClose}>{t("secret.kept")}</Button>}>
      <Copyable label={t("credential")} value={credential} />
      <p className="help">{t("credential.once")}</p>
    </Dialog>
  );
}
