// A report: one result is shown alone, the address keeps which, and a link to a finding shows it.
export function readReports() {
  for (const report of document.querySelectorAll("[data-report]")) read(report);
}

function read(report) {
  const radios = [...report.querySelectorAll("input[name=show]")];
  const open = () => {
    for (const group of report.querySelectorAll("details.checks")) group.open = true;
  };
  const show = (value) => {
    const radio = radios.find((one) => one.value === value);
    if (radio) radio.checked = true;
    if (value) open();
    // A report that came by a form has no address of its own.
    if (report.closest("[data-posted]")) return;
    const address = new URL(location.href);
    if (value) address.searchParams.set("show", value);
    else address.searchParams.delete("show");
    history.replaceState(null, "", address);
  };
  report.addEventListener("change", (event) => {
    if (event.target.name === "show") show(event.target.value);
  });
  report.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href^='#']");
    const finding = link && document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (!finding) return;
    show("");
    finding.closest("details").open = true;
  });
}
