/** Probing a store, and what the settings remember of it. */
import { z } from 'zod';
import { timeText } from '../../repository/objects.ts';
import { printLocation, type Location } from '../../store/location.ts';
import { probeStore, storeSettingsOf, type ProbeReport } from '../../store/probe.ts';
import type { OpenStoreOptions } from '../../store/open-store.ts';
import { systemRandomFraction } from './random-fraction.ts';
import type { Session } from '../session.ts';

export function probe(session: Session, location: Location): Promise<ProbeReport> {
  const { emit, clock, signal } = session;
  return probeStore(
    location,
    { emit, clock, random: () => systemRandomFraction(session.random) },
    signal,
  );
}

/** Keeps what was found with the repository that the settings know under this location. */
export function rememberProbe(session: Session, location: Location, report: ProbeReport): void {
  const time = timeText(session.clock.nowMs());
  // As plain data: what is undefined is not there.
  const plain = reportSchema.parse(JSON.parse(JSON.stringify(report)));
  session.settings.updateRepository(printLocation(location), (one) => ({
    ...one,
    // Credentials that may not write find out less than is known.
    probe: { time, report: plain, store: { ...one.probe?.store, ...storeSettingsOf(report) } },
  }));
}

const reportSchema = z.record(z.string(), z.json());

export function rememberedStoreSettings(
  session: Session,
  location: Location,
): Pick<OpenStoreOptions, 'uploadChecksum' | 'createOnly'> {
  const { uploadChecksum, createOnly } =
    session.settings.repository(printLocation(location))?.probe?.store ?? {};
  return {
    ...(uploadChecksum !== undefined && { uploadChecksum }),
    ...(createOnly !== undefined && { createOnly }),
  };
}
