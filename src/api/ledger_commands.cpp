// What people tell the ledger. Each command is answered when it is durable.
#include <fmt/format.h>

#include "api/body.h"
#include "api/route.h"
#include "domain/views/ledger_views.h"

namespace ghm::api {
namespace {

constexpr std::size_t kMostAssets = 1000;

http::Response created(const views::Json& document) {
  auto r = json_answer(document);
  r.status = 201;
  return r;
}

http::Response not_durable(const Error& error) {
  auto r = http::problem(503, "This was heard, but is not on disk yet: " + error.what + "; ask again when /readyz says ready.");
  r.headers.emplace_back("Retry-After", "5");
  return r;
}

/// Does `change` on the ledger's thread and answers with what it made, when that is durable.
void change(const Call& call, Finish finish, std::function<Result<http::Response>(fleet::Ledger&)> change) {
  auto answer = std::make_shared<Result<http::Response>>(Error{Errc::unavailable, "the ledger does not run"});
  call.world->change_ledger([answer, change = std::move(change)](fleet::Ledger& ledger) { *answer = change(ledger); },
                            [answer, finish = std::move(finish)](const Result<void>& kept) {
                              if (!*answer) return finish(problem_of(answer->error()));
                              finish(kept ? std::move(**answer) : not_durable(kept.error()));
                            });
}

}  // namespace

void post_maintenance(const Call& call, Finish finish) {
  Body body(call.request);
  const auto target = body.text("target");
  const auto until = body.optional_time("until");
  const auto reason = body.optional_text("reason");
  if (auto good = body.finish(); !good) return finish(problem_of(good.error()));
  change(call, std::move(finish), [=, by = who(call), now = call.now()](fleet::Ledger& ledger) -> Result<http::Response> {
    const auto started = ledger.start_maintenance(target, until, reason, by, now);
    if (!started) return started.error();
    return created(views::maintenance_item(*started, now));
  });
}

void end_maintenance(const Call& call, Finish finish) {
  change(call, std::move(finish), [target = std::string(call.id), now = call.now()](fleet::Ledger& ledger) -> Result<http::Response> {
    const auto ended = ledger.end_maintenance(target, now);
    if (!ended) return ended.error();
    return json_answer(views::maintenance_item(*ended, now));
  });
}

namespace {

Result<fleet::Asset> read_asset(const views::Json& in) {
  Body body(in);
  fleet::Asset a;
  a.serial = body.optional_text("serial");
  a.uuid = body.optional_text("gpu_uuid");
  a.model = body.text("model");
  a.host = body.text("host");
  a.slot = body.optional_text("slot");
  a.pci_bus_id = telemetry::normalise_pci_bus_id(body.optional_text("pci_bus_id"));
  a.place = {body.optional_text("region"), body.optional_text("datacenter"), body.optional_text("rack")};
  a.batch = body.optional_text("batch");
  a.manufactured_at = body.optional_time("manufactured_at");
  a.deployed_at = body.optional_time("deployed_at");
  a.retired_at = body.optional_time("retired_at");
  a.warranty_until = body.optional_time("warranty_until");
  a.purchase_price_usd = body.optional_number("purchase_price_usd");
  a.attributes = body.texts("attributes");
  if (auto good = body.finish(); !good) return good.error();
  return a;
}

views::Json refusal(std::size_t item, const Error& why) {
  return {{"item", item}, {"reason", why.what}};
}

}  // namespace

// Items that are wrong are named and left out; the others count.
void post_assets(const Call& call, Finish finish) {
  Body body(call.request);
  const auto items = body.objects("items", kMostAssets);
  const bool simulated = body.flag("simulated");
  if (auto good = body.finish(); !good) return finish(problem_of(good.error()));
  std::vector<std::pair<std::size_t, fleet::Asset>> good;
  views::Json refused = views::Json::array();
  for (std::size_t i = 0; i < items.size(); ++i) {
    auto asset = read_asset(items[i]);
    if (asset) good.emplace_back(i, std::move(*asset));
    else refused.push_back(refusal(i, asset.error()));
  }
  change(call, std::move(finish), [=, now = call.now()](fleet::Ledger& ledger) -> Result<http::Response> {
    const auto before = ledger.boards().size();
    auto wrong = refused;
    for (const auto& [i, asset] : good)
      if (auto taken = ledger.take_asset(asset, simulated, now); !taken) wrong.push_back(refusal(i, taken.error()));
    const auto accepted = good.size() + refused.size() - wrong.size();
    return json_answer({{"accepted", accepted}, {"new_boards", ledger.boards().size() - before}, {"refused", wrong}});
  });
}

}  // namespace ghm::api
