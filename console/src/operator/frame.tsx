// The operator's menu on the left, and who may see it.
import { Link, Outlet, useLocation } from "@tanstack/react-router";
import { useWords } from "../i18n";
import { useSession } from "../parts/current";
import { Icon } from "../parts/icon";
import { OPERATOR_PAGES } from "../parts/operator-pages";
import { Empty } from "../parts/states";

export function OperatorFrame() {
  const { t } = useWords();
  const { operator } = useSession();
  const path = useLocation({ select: (location) => location.pathname });
  if (!operator) return <main className="page" id="main"><Empty whole icon="layers" title={t("operator.no")}>{t("operator.no.why")}</Empty></main>;
  return (
    <div className="shell">
      <nav className="left" aria-label={t("operator")}>
        <h3>{t("operator")}</h3>
        {OPERATOR_PAGES.map((page) => (
          <Link key={page.to} to={page.to} aria-current={path.startsWith(page.to) ? "page" : undefined}>
            <Icon name={page.icon} />
            {t(page.name)}
          </Link>
        ))}
      </nav>
      <Outlet />
    </div>
  );
}
