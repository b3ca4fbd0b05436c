# tornado.csv: row,input,low,high,usd_at_low,usd_at_high,text
set xlabel 'USD per million jobs'
set yrange [-0.5:ROWS]
set xrange [XLO:XHI]
unset ytics
set border 1
set label 2 sprintf('as it is: $%.2f', BASE) at BASE, graph 1 center offset 0, 0.7 textcolor rgb INK
set key off
set lmargin 2
set tmargin 2
plot 'tornado.csv' using (BASE):1:(BASE < $5 ? BASE : $5):(BASE < $5 ? $5 : BASE):($1 - 0.3):($1 + 0.12) \
         with boxxy fs solid 1 noborder lc rgb SKY, \
     '' using (BASE):1:(BASE < $6 ? BASE : $6):(BASE < $6 ? $6 : BASE):($1 - 0.3):($1 + 0.12) \
         with boxxy fs solid 1 noborder lc rgb ORANGE, \
     '' using (BASE):($1 - 0.34):(0):(0.5) with vectors nohead lw 1.5 lc rgb INK, \
     '' using (XLO):($1 + 0.32):7 with labels left font (NARROW ? ',10' : ',13') textcolor rgb INK
