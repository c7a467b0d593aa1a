// What an account without tokens shows: why one would want them, and how it begins.
import { Link } from "@tanstack/react-router";
import { useWords } from "../i18n";
import { Banner, Button } from "../parts/controls";
import { useAccount } from "../parts/current";
import { Icon } from "../parts/icon";
import { rolesWith } from "../parts/problem";
import { BlankSeal } from "../parts/seal";

export function Welcome({ onLegacy }: { onLegacy: (() => void) | undefined }) {
  const words = useWords();
  const { t } = words;
  const current = useAccount();
  const { account, kind, may } = current;
  const groups = kind.categories.filter((row) => !row.management);
  const operations = groups.reduce((sum, row) => sum + row.scopes.length, 0);
  return (
    <div className="card">
      <div className="empty">
        <BlankSeal />
        <h2>{t("welcome")}</h2>
        <p>{t("welcome.why")}</p>
        {may("tokens.manage") ? (
          <div className="actions">
            <Link className="btn primary" to="/accounts/$account/tokens/new" params={{ account: account.id }}>
              <Icon name="plus" />
              {t("create")}
            </Link>
            {onLegacy ? <Button onPress={onLegacy}>{t("legacy.enable")}</Button> : null}
          </div>
        ) : (
          <Banner>{t("manage.ask", { who: rolesWith(words, current, ["tokens.manage"]) })}</Banner>
        )}
        {onLegacy ? <p className="help">{t("welcome.legacy")}</p> : null}
      </div>
      <ol className="how">
        <li><Icon name="page" /><b>{t("how.name")}</b>{t("how.name.text", { version: kind.latest_version })}</li>
        <li><Icon name="mail" /><b>{t("how.contact")}</b>{t("how.contact.text")}</li>
        <li><Icon name="bars" /><b>{t("how.scopes")}</b>{t("how.scopes.text", { operations, categories: groups.length, preset: words.label(kind.presets[0]?.label) })}</li>
        <li><Icon name="key" /><b>{t("how.copy")}</b>{t("how.copy.text")}</li>
      </ol>
    </div>
  );
}
