# queue.csv: seconds,waiting_mean,waiting_p10,waiting_p90,running_mean,running_p10,running_p90
set xlabel 'seconds from the first enqueue'
set ylabel 'jobs'
set yrange [0:*]
set key top right
plot 'queue.csv' using 1:3:4 with filledcurves fs transparent solid 0.3 lc rgb BLUE notitle, \
     '' using 1:2 with lines lw 2.5 lc rgb BLUE title 'waiting (10-90 % shaded)', \
     '' using 1:6:7 with filledcurves fs transparent solid 0.3 lc rgb ORANGE notitle, \
     '' using 1:5 with lines lw 2.5 lc rgb ORANGE title 'running (10-90 % shaded)'
