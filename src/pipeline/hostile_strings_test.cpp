// What an exporter prints as a name may be anything. It makes one board, whose record is UTF-8 and who is known again after
// a restart.
#include "core/hostile_strings_for_test.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/utf8.h"
#include "pipeline/ingest.h"
#include "pipeline/ledger_records.h"

namespace ghm::pipeline {
namespace {

const Timestamp kStart = from_unix_ms(1'700'000'000'000);

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (c == '\\' || c == '"') out += std::string("\\") + c;
    else if (c == '\n') out += "\\n";
    else out += c;
  return out;
}

std::string page(std::string_view label, std::string_view text) {
  return fmt::format("DCGM_FI_DEV_GPU_TEMP{{gpu=\"0\",UUID=\"GPU-00000000-0000-0000-0000-000000000001\",{}=\"{}\"}} 61\n", label,
                     escaped(text));
}

/// Records in a map.
struct Records final : store::RecordStore {
  Result<void> put(std::span<const store::Record> records) override {
    for (const auto& r : records) kept[{r.kind, r.key}] = r;
    return {};
  }
  Result<std::optional<store::Record>> get(std::string_view, std::string_view) const override { return std::optional<store::Record>(); }
  Result<std::vector<store::Record>> scan(std::string_view kind, std::string_view, std::string_view after, std::size_t) const override {
    std::vector<store::Record> found;
    for (const auto& [name, r] : kept)
      if (r.kind == kind && r.key > after) found.push_back(r);
    return found;
  }
  Result<std::vector<store::Record>> recent(std::string_view, TimeRange, std::size_t) const override {
    return std::vector<store::Record>();
  }
  Result<bool> erase(std::string_view, std::string_view) override { return false; }

  std::map<std::pair<std::string, std::string>, store::Record> kept;
};

/// An ingest that keeps in a store, as a program between two starts.
struct Life {
  explicit Life(Records& store) {
    auto kept = load_ledger(store);
    EXPECT_TRUE(kept) << kept.error().what;
    ingest.restore(std::move(*kept));
    keep = [&store](ToKeep& k) {
      EXPECT_TRUE(store.put(k.records));
      for (const auto& r : k.records) EXPECT_TRUE(is_utf8(r.body) && is_utf8(r.key)) << r.kind;
      return true;
    };
  }
  void scrape(const std::string& text, Timestamp at, const std::string& address) {
    ingest.on_scrape({{address, {{"rack", address}}, std::make_shared<telemetry::ScrapeAccess>()}, at, {}, text, "", ""});
    ingest.tick(at);
  }
  std::function<bool(ToKeep&)> keep;
  Ingest ingest{{}, {[this](ToKeep& k) { return keep(k); }, [](LiveUpdate&) { return true; }}, Log::off()};
};

TEST(HostileNames, MakeOneBoardThatIsKnownAgain) {
  for (const auto* label : {"DCGM_FI_DEV_SERIAL", "DCGM_FI_DEV_NAME", "modelName", "Hostname", "DCGM_FI_DRIVER_VERSION", "pci_bus_id"})
    for (const auto& text : hostile_strings()) {
      Records store;
      for (int start = 0; start < 2; ++start) {
        Life life(store);
        life.scrape(page(label, text), kStart + start * 1min, "h:1");
        EXPECT_EQ(life.ingest.ledger().boards().size(), 1u) << label << " " << text.substr(0, 80) << ", start " << start;
      }
    }
}

TEST(HostileNames, OfDifferentBoardsStayDifferent) {
  Records store;
  const auto both = page("DCGM_FI_DEV_SERIAL", "caf\xe9") +
                    "DCGM_FI_DEV_GPU_TEMP{gpu=\"1\",UUID=\"GPU-00000000-0000-0000-0000-000000000002\",DCGM_FI_DEV_SERIAL=\"caf\xea\"} 61\n";
  for (int start = 0; start < 2; ++start) {
    Life life(store);
    life.scrape(both, kStart + start * 1min, "h:1");
    EXPECT_EQ(life.ingest.ledger().boards().size(), 2u);
  }
}

TEST(HostileNames, MayBeATargetsToo) {
  for (const auto& text : hostile_strings()) {
    Records store;
    for (int start = 0; start < 2; ++start) {
      Life life(store);
      life.scrape(page("modelName", "NVIDIA H200"), kStart + start * 1min, text);
      EXPECT_EQ(life.ingest.ledger().boards().size(), 1u) << text.substr(0, 80) << ", start " << start;
    }
  }
}

}  // namespace
}  // namespace ghm::pipeline
